"""mininova-manage broker watch: cut off a compute for which the broker holds too much.

A queue has a bound.  But RabbitMQ also holds what is in no queue: the messages of a transaction that is not committed,
and a body that has not ended.  And the bound of a queue does not count what was read and not acknowledged.  RabbitMQ
has no limit there but its memory, and when that is used up, no sender can send.  So this command looks every few
seconds, closes the connections of a compute that is over a bound, and empties its queue.

It needs no database and no broker user, only the command of ``[broker_admin]``: run it where that runs.
"""

import argparse
import json
import logging
import os
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec
from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.manage.broker_admin import BrokerAdmin
from mininova.service import broker, log
from mininova.service.supervised import StopSignals, say_ready
from mininova.trust import identities
from mininova.trust.broker.definitions import MOST_BYTES_IN_A_QUEUE, MOST_IN_A_QUEUE

LOG = logging.getLogger(__name__)

#: Bytes that the broker may hold for all connections of a compute together; one that works needs a few hundred KiB.
MOST_HELD_BYTES = 128 * 1024 * 1024

#: A queue refuses messages when it has as many as it may; when it has twice as many, they are not acknowledged.
SLACK = 2

_STREAM = "rabbit_stream_queue"
_NICE = 10  # what works for users goes first


class HeldQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue that computes read.

    :param kind: Erlang's name for its type
    :param bytes: of its messages, also of those that were read and not acknowledged; -1 when its type does not tell
    :param readers: broker users
    """

    name: str
    kind: str
    messages: int = 0
    bytes: int = -1
    readers: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """What the broker holds.

    :param users: broker user → bytes of memory for its connections and their channels
    """

    users: dict[str, int]
    queues: list[HeldQueue]


#: Gives a Held as JSON.  Processes are looked at from outside, for those that are busy would not answer.
QUERY = """
Bytes = fun(Pid) ->
  case process_info(Pid, [memory, binary]) of
    undefined -> 0;
    [{memory, Own}, {binary, Shared}] -> Own + lists:sum([Size || {_, Size, _} <- lists:usort(Shared)])
  end
end,
User = fun(Known) -> proplists:get_value(user, Known) end,
Connections = fun() ->
  [{User(Known), Bytes(Pid)} || Table <- [connection_created, channel_created], {Pid, Known} <- ets:tab2list(Table)]
end,
Readers = fun() ->
  [{element(1, Key), User(Known)} || Reader <- ets:tab2list(consumer_created), Key <- [element(1, Reader)],
   {_, Known} <- ets:lookup(channel_created, element(2, Key))]
end,
Everywhere = fun(Look) -> lists:append(element(1, rpc:multicall([node() | nodes()], erlang, apply, [Look, []]))) end,
All = Everywhere(Readers),
Size = fun(Queue) ->
  try maps:from_list(rabbit_amqqueue:info(Queue, [messages, message_bytes])) catch _:_ -> #{} end
end,
Queues = [maps:merge(Size(Queue), #{name => Name, kind => amqqueue:get_type(Queue),
           readers => lists:usort([Reader || {Read, Reader} <- All, Read =:= Full])})
  || Queue <- rabbit_amqqueue:list(<<VIRTUAL_HOST>>), Full <- [amqqueue:get_name(Queue)],
     Name <- [element(4, Full)], re:run(Name, "^(compute|reply_compute)[.]") =/= nomatch],
Add = fun({Who, Many}, Sums) -> maps:update_with(Who, fun(Sum) -> Sum + Many end, Many, Sums) end,
io:format("~s~n", [rabbit_json:encode(#{
  users => lists:foldl(Add, #{}, Everywhere(Connections)),
  queues => [#{name => Name, kind => Kind, readers => Readers_,
    messages => case maps:get(messages, Queue, 0) of Count when is_integer(Count) -> Count; _ -> 0 end,
    bytes => case maps:get(message_bytes, Queue, -1) of Sum when is_integer(Sum) -> Sum; _ -> -1 end}
    || #{name := Name, kind := Kind, readers := Readers_} = Queue <- Queues]})]).
"""


def too_much(held: Held) -> Iterator[str]:
    """Say of each compute, and of each queue that computes read, that is over its bound."""
    yield from (f"the broker holds {size >> 20} MiB for {user}" for user, size in _users(held))
    yield from (f"queue {queue.name} {why}" for queue, why in _queues(held))


def _users(held: Held) -> Iterator[tuple[str, int]]:
    for user, size in held.users.items():
        if identities.is_compute(user) and size > MOST_HELD_BYTES:
            yield user, size


def _queues(held: Held) -> Iterator[tuple[HeldQueue, str]]:
    for queue in held.queues:
        if queue.kind == _STREAM:
            yield queue, "is a stream, which keeps what was read"
        elif queue.messages > SLACK * MOST_IN_A_QUEUE or queue.bytes > SLACK * MOST_BYTES_IN_A_QUEUE:
            yield queue, f"has {queue.messages} messages of {max(0, queue.bytes) >> 20} MiB"


class Admin(Protocol):
    """What the watch needs of a BrokerAdmin."""

    def evaluated(self, expression: str) -> str:
        """Have the broker evaluate Erlang."""

    def disconnect(self, user: str, why: str) -> None:
        """Close the connections of a user."""

    def purge_queue(self, queue: str, virtual_host: str) -> None:
        """Empty a queue."""

    def delete_queue(self, queue: str, virtual_host: str) -> None:
        """Delete a queue."""


class Watch:
    """Look at a broker, and cut off what is over a bound."""

    def __init__(self, admin: Admin, virtual_host: str) -> None:
        self._admin, self._virtual_host = admin, virtual_host

    def look(self) -> Held:
        """Ask the broker what it holds.

        :raises errors.BrokerAdminFailed: when it does not answer
        """
        said = self._admin.evaluated(QUERY.replace("VIRTUAL_HOST", json.dumps(self._virtual_host)))
        try:
            return msgspec.json.decode(said.partition("\n")[0], type=Held)  # the last line is what it returned
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise errors.BrokerAdminFailed(command="rabbitmqctl eval", reason=f"{error}: {said:.200}") from None

    def act(self, held: Held) -> None:
        """Close the connections of who is over a bound, and take away what its queues have too much."""
        for user, size in _users(held):
            self._cut_off(user, f"the broker held {size >> 20} MiB for it")
        for queue, why in _queues(held):
            for user in filter(identities.is_compute, queue.readers):
                self._cut_off(user, f"its queue {queue.name} {why}")
            LOG.warning("queue %s %s: it is emptied", queue.name, why)
            if queue.kind == _STREAM:
                self._admin.delete_queue(queue.name, self._virtual_host)
            else:
                self._admin.purge_queue(queue.name, self._virtual_host)

    def _cut_off(self, user: str, why: str) -> None:
        """Close a compute's connections; one that ends by itself meanwhile makes the command fail, and the next look
        finds what is left.
        """
        LOG.warning("%s is cut off: %s", user, why)
        try:
            self._admin.disconnect(user, why)
        except errors.BrokerAdminFailed as error:
            LOG.warning("%s may not be cut off yet: %s", user, error)

    def again(self) -> None:
        """Look once, and act; a broker that does not answer is looked at the next time."""
        try:
            self.act(self.look())
        except errors.BrokerAdminFailed as error:
            LOG.error("%s", error)


def run(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Watch, until a signal comes; or look once."""
    log.setup(conf)
    watch = Watch(BrokerAdmin(conf), broker.address(conf).virtual_host)
    if parsed.once:
        watch.act(watch.look())
    else:
        _until_stopped(watch.again, conf.broker_admin.watch_interval)


def _until_stopped(look: Callable[[], None], every: float) -> None:
    os.nice(_NICE)
    signals = StopSignals()
    if address := os.environ.get("NOTIFY_SOCKET"):
        say_ready(address, "broker watch")
    while not signals.wait(every):
        look()
