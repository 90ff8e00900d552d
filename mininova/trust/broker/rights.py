"""What the broker lets each identity do: one row for each kind, written as RabbitMQ's permissions.

The local stack, ``mininova-manage host`` and the tests take the rights from here, so a compute of the local stack may
do what one of a real cloud may.  A right is a regular expression over names.  RabbitMQ looks for it anywhere in a
name, so each has an anchor at both ends.

A compute writes to its lane (mininova.rpc.trust.lanes) and to nothing else.  RabbitMQ asks for the first key of a
message only, so a right that tells keys apart would not confine who writes; it confines who binds.  A compute binds
nothing but its lane, there nothing but its own keys, and makes no queues but a few of fixed names: what a message to it
costs does not grow.  The queues that others send to were made and bound with its user (definitions.py).

A permission speaks of exchanges and queues: what an identity may *configure* (declare and delete), *write* (publish
to an exchange, bind a queue) and *read* (consume from a queue, bind to an exchange).  A topic permission speaks of the
keys on one exchange: under which it may publish, and with which it may bind.  No identity may use the default exchange,
which puts a message into any queue by its name, and none has a tag, such as that to publish in another's name.

Source: https://www.rabbitmq.com/docs/access-control; tried on RabbitMQ 3.10 by tests/wire/test_broker_rights.py.
"""

import re
from collections.abc import Mapping

import msgspec

from mininova.rpc.server import PAUSES
from mininova.rpc.trust.lanes import exchange_of, replies_to
from mininova.trust.broker.name_pattern import any_of
from mininova.trust.identities import COMPUTE, Identity

FLOW = "mininova.flow"  # mininova.rpc.watch.flow calls it so
PRIORITIES = ("info", "error")  # of notifications: all that mininova emits
NOTHING = "(?!)"  # matches no name, not even the empty one

_PROCESS = "[0-9a-f]{32}"  # ends the name of a queue that one process has for itself
_PAUSES = "|".join(re.escape(f"{seconds:g}") for seconds in PAUSES if seconds)
_HOST = rf"compute\.({{hosts}})(\.(dead|pause\.({_PAUSES})))?"  # its queue, and those that its server keeps beside it
_TELLS = r"({notifications})\.[a-z]+"


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What is called how on a broker, as the settings have it.

    :param exchange: ``control_exchange``
    :param notifications: ``[oslo_messaging_notifications] topics``
    """

    exchange: str = "mininova"
    notifications: tuple[str, ...] = ("notifications",)

    @property
    def replies(self) -> str:
        """Name the exchange of the replies."""
        return f"{self.exchange}.reply"

    @property
    def told(self) -> str:
        """Name the exchange of the notifications."""
        return f"{self.exchange}.notifications"

    @property
    def notification_keys(self) -> list[str]:
        """Name the queues of notifications, and their keys, that all services fill."""
        return [f"{topic}.{priority}" for topic in self.notifications for priority in PRIORITIES]

    @property
    def exchanges(self) -> tuple[str, ...]:
        """Name the exchanges that the services share, each a topic exchange."""
        return self.exchange, self.replies, self.told, FLOW

    def lane(self, user: str) -> str:
        """Name the exchange of all that a compute sends."""
        return exchange_of(self.exchange, user)

    @property
    def lanes(self) -> str:
        """Match the lane of any compute."""
        return re.escape(self.lane(f"{COMPUTE}.")) + ".+"


#: What the settings say by default.
USUAL = Layout()


class TopicRight(msgspec.Struct, frozen=True):
    """Under which keys an identity may publish, and with which it may bind, on one exchange."""

    write: str
    read: str


class Rights(msgspec.Struct, frozen=True):
    """All that an identity may do on the broker.

    :param topics: exchange → the keys; on one that is missing here, any
    """

    configure: str
    write: str
    read: str
    topics: Mapping[str, TopicRight]


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of identity does; each text is a piece of a regular expression.

    :param process: what its processes are called: each has a queue for its replies; "" where they make none
    :param queues: bound with their own names: it declares them and reads them
    :param sends: the keys under which it sends to others
    :param takes: queues of others that it reads
    :param elsewhere: queues and exchanges that it declares and reads, and that are bound otherwise
    :param answers: which processes may ask it something, by their names
    :param tells: whether it makes queues for the notifications that it sends, for others to read
    :param hears: whether it listens to the flow, and to notifications in queues of its own
    :param asks_computes: whether computes send to it, by their lanes
    :param confined: whether it has a lane, by which it sends everything, and one queue for its replies that was made
        for it; it makes no exchange, and binds none but its lane
    """

    process: str
    queues: tuple[str, ...]
    sends: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    tells: bool = True
    hears: bool = False
    asks_computes: bool = False
    confined: bool = False


def _server(topic: str, *, sends: tuple[str, ...], answers: tuple[str, ...], asks_computes: bool) -> _Row:
    """Describe a service that serves a topic to all."""
    queues, fanout = (rf"{topic}(\..+)?",), (rf"{topic}_fanout(_{_PROCESS})?",)
    return _Row(
        process=rf"{topic}\..+", queues=queues, elsewhere=fanout, sends=sends, answers=answers,
        asks_computes=asks_computes,
    )  # fmt: skip


_OPERATOR = _Row(
    process=r"(?!(api|scheduler|conductor|compute)\.).+",  # mininova-manage, mininova-flow, tools of the operator's own
    queues=(_TELLS + r"(\..+)?",),
    takes=(r"(conductor|scheduler|compute)(\..+)?\.dead",),
    sends=(r"(conductor|scheduler|compute)(\..+)?",),
    elsewhere=(rf"flow_(collector|tail)_{_PROCESS}", "conductor_fanout"),
    tells=False,
    hears=True,
    asks_computes=True,
)

#: Kind of identity → its row.
_ROWS = {
    "api": _Row(process=r"api\..+", queues=(), sends=("conductor", r"compute\..+"), asks_computes=True),
    "scheduler": _server("scheduler", sends=(), answers=("conductor",), asks_computes=False),
    "conductor": _server(
        "conductor", sends=("scheduler", r"compute\..+"), answers=("api", COMPUTE), asks_computes=True
    ),
    "operator": _OPERATOR,
    COMPUTE: _Row(process="", queues=(_HOST,), tells=False, confined=True),
}


def rights(identity: Identity, layout: Layout = USUAL) -> Rights:
    """Give the rights of an identity."""
    row = _ROWS[identity.kind]
    names = {
        "{hosts}": any_of(identity.hosts),
        "{notifications}": any_of(layout.notifications),
    }
    reply = re.escape(replies_to(identity.name)) if row.confined else f"reply_{row.process}_{_PROCESS}"
    requests, replies, notifications, flow = shared = tuple(map(re.escape, layout.exchanges))
    told = (_TELLS,) if row.tells else ()
    by_lanes = (rf"{reply}\.from\.{COMPUTE}\..+",) if row.asks_computes else ()
    own = (*row.queues, *row.elsewhere, *(() if row.confined else (reply, *by_lanes)))
    lane, lanes = re.escape(layout.lane(identity.name)), (layout.lanes,) if row.asks_computes else ()

    def right(*pieces: str) -> str:
        text = "|".join(pieces)
        for mark, name in names.items():
            text = text.replace(mark, name)
        return f"^({text})$" if text else NOTHING

    heard = (notifications, flow) if row.hears else (notifications,)
    read = (reply, lane) if row.confined else (*row.takes, *lanes, requests, replies, *heard)
    spoken = row.queues if row.hears else told
    return Rights(
        configure=right(*own, *told, *lanes, *(() if row.confined else shared)),
        write=right(*own, *told, *((lane,) if row.confined else shared)),
        read=right(*own, *read),
        topics=_only_its_lane(layout, identity.name, right(*row.queues))
        if row.confined
        else {
            layout.exchange: TopicRight(write=right(*row.queues, *row.sends), read=right(*row.queues)),
            layout.replies: TopicRight(write=right(*(rf"reply_{asks}\..+" for asks in row.answers)), read=right(reply)),
            layout.told: TopicRight(write=right(*spoken), read=right(*spoken)),
        },
    )


def _only_its_lane(layout: Layout, user: str, own: str) -> Mapping[str, TopicRight]:
    """Let a compute send under any key by its lane, which leads nowhere else, and bind its own keys there."""
    nothing = TopicRight(write=NOTHING, read=NOTHING)
    return {
        **dict.fromkeys((layout.exchange, layout.replies, layout.told), nothing),
        layout.lane(user): TopicRight(write="^(.+)$", read=own),
    }
