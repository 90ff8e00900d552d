%% Load at once every module that RabbitMQ is going to load one by one: with two cores a node is up in
%% two and a half seconds instead of six.  Evaluated by file:script/1 before RabbitMQ's own start (broker.py);
%% if any of it fails, RabbitMQ starts as it always does, only later.

%% RabbitMQ starts other Erlang programs, and they need not do this.
os:unsetenv("ERL_AFLAGS"),

%% The modules of an application and of all that it needs, as its .app file has them.
Collect = fun
    Collect([], Seen) ->
        lists:append(maps:values(Seen));
    Collect([App | Rest], Seen) when is_map_key(App, Seen) ->
        Collect(Rest, Seen);
    Collect([App | Rest], Seen) ->
        case file:consult(code:where_is_file(atom_to_list(App) ++ ".app")) of
            {ok, [{application, App, Keys}]} ->
                Needs = proplists:get_value(applications, Keys, []),
                Collect(Needs ++ Rest, Seen#{App => proplists:get_value(modules, Keys, [])});
            _ ->
                Collect(Rest, Seen)
        end
end,
%% Some at a time: while they are loaded they need much memory, which would never be given back.
Load = fun
    Load([]) ->
        ok;
    Load(Modules) ->
        {Some, Rest} = lists:split(min(100, length(Modules)), Modules),
        code:ensure_modules_loaded(Some),
        Load(Rest)
end,
Load(Collect([rabbit, rabbitmq_prelaunch, compiler], #{})).
