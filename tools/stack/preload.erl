%% Load at once every module that RabbitMQ is going to load one by one: with two cores a node is up in
%% two and a half seconds instead of six.  Evaluated by file:script/1 before RabbitMQ's own start (broker.py);
%% if any of it fails, RabbitMQ starts as it always does, only later.

%% RabbitMQ starts other Erlang programs, and they need not do this.
os:unsetenv("ERL_AFLAGS"),

%% The .app files of some applications and of all that they need.
Collect = fun
    Collect([], Seen) ->
        maps:to_list(Seen);
    Collect([App | Rest], Seen) when is_map_key(App, Seen) ->
        Collect(Rest, Seen);
    Collect([App | Rest], Seen) ->
        case file:consult(code:where_is_file(atom_to_list(App) ++ ".app")) of
            {ok, [{application, App, Keys}]} ->
                Collect(proplists:get_value(applications, Keys, []) ++ Rest, Seen#{App => Keys});
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
All = Collect([rabbit, rabbitmq_prelaunch, compiler], #{}),
Others = [It || {App, _} = It <- All, not lists:prefix("rabbit", atom_to_list(App)), App =/= khepri],

%% RabbitMQ looks for the steps of its boot in every module of every application.  Only its own have some: the others
%% say that they have no modules, and what is used of them is loaded when it is used.  Khepri, the store of RabbitMQ 4,
%% does not start without its own.
[application:load({application, App, lists:keystore(modules, 1, Keys, {modules, []})}) || {App, Keys} <- Others],

%% A node uses little of these.
Seldom = [asn1, amqp10_common, cuttlefish, enough, inets, observer_cli, os_mon, osiris, public_key, recon,
          runtime_tools, ssl, stdout_formatter, syntax_tools, tools, xmerl],
Load(lists:append([proplists:get_value(modules, Keys, []) || {App, Keys} <- All, not lists:member(App, Seldom)])).
