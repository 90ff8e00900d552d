"""The brokers that a stack can run, by the name that MININOVA_BROKER gives: how each is found, installed and set up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stack import broker, qpid

TOOLS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One broker.

    :param title: what people call it
    :param find: finds its program, or its jars; None when it is not installed
    :param script: installs it
    :param by_root: whether that takes root in any case
    :param named: the variable that says where it is, when that is nowhere usual
    :param node: what writes the files of a private one
    :param makes_hashes: whether it is given passwords while it runs, and not hashes
    :param watched: whether ``mininova-manage broker watch`` knows what to ask it
    """

    title: str
    find: Callable[[Mapping[str, str]], Path | None]
    script: Path
    by_root: bool
    named: str
    node: type[broker.Node]
    makes_hashes: bool
    watched: bool


RABBITMQ, QPID = "rabbitmq", "qpid"

KINDS: Mapping[str, Kind] = {
    RABBITMQ: Kind(
        title="RabbitMQ",
        find=broker.find_server,
        script=TOOLS / "install-rabbitmq.sh",
        by_root=True,
        named="RABBITMQ_SERVER",
        node=broker.Node,
        makes_hashes=False,
        watched=True,
    ),
    QPID: Kind(
        title="Qpid",
        find=qpid.find_jars,
        script=TOOLS / "install-qpid.sh",
        by_root=False,
        named="QPID_JARS",
        node=qpid.Node,
        makes_hashes=True,
        watched=False,
    ),
}
