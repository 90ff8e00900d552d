"""What the broker lets each identity do: one row for each kind, written as RabbitMQ's permissions.

The local stack, ``mininova-manage host`` and the tests take the rights from here, so a compute of the local stack may
do what one of a real cloud may.  A right is a regular expression over names.  RabbitMQ looks for it anywhere in a
name, so each has an anchor at both ends.

A permission speaks of exchanges and queues: what an identity may *configure* (declare and delete), *write* (publish
to an exchange, bind a queue) and *read* (consume from a queue, bind to an exchange).  A topic permission speaks of the
keys on one exchange: under which it may publish, and with which it may bind.  Nobody may use the default exchange,
which puts a message into any queue by its name, and nobody has a tag, such as that to publish in another's name.

Source: https://www.rabbitmq.com/docs/access-control; tried on RabbitMQ 3.10 by tests/contracts/test_broker_rights.py.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from mininova.identities import COMPUTE, Identity

FLOW = "mininova.flow"  # mininova.rpc.flow calls it so
NOTHING = "(?!)"  # matches no name, not even the empty one

_PROCESS = "[0-9a-f]{32}"  # ends the name of a queue that one process has for itself
_HOST = (
    r"compute\.({hosts})(\.(dead|pause\.[0-9]+(\.[0-9]+)?))?"  # its queue, and those that its server keeps beside it
)
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
    def exchanges(self) -> tuple[str, ...]:
        """Name the exchanges that all share, each a topic exchange."""
        return self.exchange, self.replies, FLOW


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

    :param process: what its processes are called: each has a queue for its replies
    :param queues: of the control exchange, bound with their own names: it declares them and reads them
    :param elsewhere: queues and exchanges that it declares and reads, and that are not on the control exchange
    :param sends: the keys under which it sends to others
    :param takes: queues of others that it reads
    :param answers: who may ask it something, by the names of their processes
    :param tells: whether it makes queues for the notifications that it sends, for others to read
    :param hears: whether it listens to the flow
    :param declares: whether it makes the exchanges that all share
    """

    process: str
    queues: tuple[str, ...]
    sends: tuple[str, ...]
    takes: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    tells: bool = True
    hears: bool = False
    declares: bool = True


def _server(topic: str, *, sends: tuple[str, ...], answers: tuple[str, ...]) -> _Row:
    """Describe a service that serves a topic to everybody."""
    queues, fanout = (rf"{topic}(\..+)?",), (rf"{topic}_fanout(_{_PROCESS})?",)
    return _Row(process=rf"{topic}\..+", queues=queues, elsewhere=fanout, sends=sends, answers=answers)


_OPERATOR = _Row(
    process=r"(?!(api|scheduler|conductor|compute)\.).+",  # mininova-manage, mininova-flow, tools of the operator's own
    queues=(_TELLS + r"(\..+)?",),
    takes=(r"(conductor|scheduler|compute)(\..+)?\.dead",),
    sends=(r"(conductor|scheduler|compute)(\..+)?",),
    elsewhere=(rf"flow_(collector|tail)_{_PROCESS}",),
    tells=False,
    hears=True,
)

#: Kind of identity → its row.
_ROWS = {
    "api": _Row(process=r"api\..+", queues=(), sends=("conductor", r"compute\..+")),
    "scheduler": _server("scheduler", sends=(), answers=("conductor",)),
    "conductor": _server("conductor", sends=("scheduler", r"compute\..+"), answers=("api", COMPUTE)),
    "operator": _OPERATOR,
    COMPUTE: _Row(
        process=r"compute\.({processes})",
        queues=(_HOST,),
        sends=("conductor", _TELLS),
        answers=("api", "conductor"),
        tells=False,
        declares=False,
    ),
}


def rights(identity: Identity, layout: Layout = USUAL) -> Rights:
    """Give the rights of an identity."""
    row = _ROWS[identity.kind]
    names = {
        "{processes}": _any(dict.fromkeys((identity.process, *identity.hosts))),
        "{hosts}": _any(identity.hosts),
        "{notifications}": _any(layout.notifications),
    }
    reply = f"reply_{row.process}_{_PROCESS}"
    shared = tuple(map(re.escape, layout.exchanges))
    own, told = (*row.queues, *row.elsewhere, reply), (_TELLS,) if row.tells else ()

    def right(*pieces: str) -> str:
        text = "|".join(pieces)
        for mark, name in names.items():
            text = text.replace(mark, name)
        return f"^({text})$" if text else NOTHING

    return Rights(
        configure=right(*own, *told, *(shared if row.declares else ())),
        write=right(*own, *told, *shared),
        read=right(*own, *row.takes, *(shared if row.hears else shared[:2])),
        topics={
            layout.exchange: TopicRight(write=right(*row.queues, *row.sends, *told), read=right(*row.queues, *told)),
            layout.replies: TopicRight(write=right(*(rf"reply_{asks}\..+" for asks in row.answers)), read=right(reply)),
        },
    )


def _any(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, names))
