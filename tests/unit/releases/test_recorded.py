"""Today's server understands each older minor of each interface, and answers as it expects.

The messages were recorded when that minor was the newest (tests/fixtures/recorded.py).
"""

import inspect
import json
from typing import Any

import msgspec
import pytest

from mininova import rpc
from mininova.rpc import Version, envelope
from mininova.rpc.transports.base import TOPIC, Delivery, Message, Subscription
from mininova.rpc.transports.memory import MemoryBroker, MemoryTransport
from mininova.service.codec import CODEC
from mininova.service.releases import RELEASES
from tests.fixtures import recorded
from tests.fixtures.fingerprints import interfaces

INTERFACES = interfaces()


def minors(interface: type[rpc.Interface]) -> list[str]:
    """Name every version of an interface's major up to its own."""
    ours = Version.parse(interface.version)
    return [str(Version(ours.major, minor)) for minor in range(ours.minor + 1)]


PLAYED = [
    (name, version, method)
    for name, interface in INTERFACES.items()
    for version in minors(interface)
    for method in recorded.kept(name, version)
]


@pytest.mark.parametrize("name", INTERFACES)
def test_today_is_recorded(name: str, request: pytest.FixtureRequest):
    """The file of this version agrees with the code, and each earlier minor has a file."""
    interface = INTERFACES[name]
    now = recorded.record(interface)
    if request.config.getoption("--rewrite"):
        recorded.keep(name, interface.version, now)

    assert recorded.kept(name, interface.version) == now, (
        f"{name} {interface.version} says something else than was recorded.  If it is not out yet, record it anew with "
        f"pytest tests/unit/releases --rewrite; else raise its version, and mark what is new with since()"
    )
    assert [version for version in minors(interface) if not recorded.path(name, version).exists()] == []


class Theatre:
    """A server of today, and a caller of an older release.

    :param levels: what yesterday's caller knows, as today's server has learned it
    """

    def __init__(self, interface: type[rpc.Interface], levels: rpc.Levels) -> None:
        self.broker, self.heard = MemoryBroker(), list[tuple[str, dict[str, Any]]]()
        peer = rpc.Peer(MemoryTransport(self.broker), name="server", codec=CODEC, levels=lambda: levels)
        actor = type("Manager", (), {name: self._part(method) for name, method in interface.methods.items()})()
        rpc.Server(peer, "a", [(interface, actor)], spawn=lambda run, *args: run(*args)).start()
        self.topic, self.replies = interface.topic, list[Delivery]()

    def _part(self, method: rpc.Method) -> Any:
        def play(actor: Any, ctxt: Any, **arguments: Any) -> Any:
            self.heard.append((method.name, arguments))
            return recorded.sample(method.result)

        play.__signature__ = method.signature.replace(  # type: ignore[attr-defined]
            parameters=[*_SELF_AND_CTXT, *(p.replace(kind=p.KEYWORD_ONLY) for p in method.parameters)]
        )
        return play

    def ask(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Send the bytes of a call; give the reply."""
        transport = MemoryTransport(self.broker)
        transport.subscribe(
            Subscription(
                queue="reply_answers", exchange="mininova.reply", kind=TOPIC, routing_key="reply_answers",
                durable=False, on_delivery=self.replies.append,
            )
        )  # fmt: skip
        body = envelope.pack({**payload, "_msg_id": "asked", "_reply_q": "reply_answers"})
        transport.publish(
            Message(
                body=body, exchange="mininova", routing_key=self.topic, message_id="asked", reply_to="reply_answers"
            )
        )
        self.broker.run()
        return envelope.unpack(self.replies.pop().message.body)


def _template(self: Any, ctxt: Any) -> None: ...


_SELF_AND_CTXT = list(inspect.signature(_template).parameters.values())


def known_with(name: str, version: str) -> rpc.Levels:
    """Give the versions that a caller of a version knows: those of the newest release with this version."""
    topic = INTERFACES[name].topic
    release = next(spoken for spoken in reversed(RELEASES.values()) if spoken[topic] == version)
    return {spoken: (which,) for spoken, which in release.items()}


@pytest.mark.parametrize(("name", "version", "method"), PLAYED)
def test_an_older_message_is_understood(name: str, version: str, method: str):
    """Its arguments arrive as they were meant, and its sender can read the reply."""
    interface, message = INTERFACES[name], recorded.kept(name, version)[method]
    theatre = Theatre(interface, known_with(name, version))

    answer = theatre.ask(message["request"])

    assert answer["failure"] is None
    ((called, arguments),) = theatre.heard
    assert called == method
    meant = {argument: value for argument, value in arguments.items() if argument in message["request"]["args"]}
    sent_back = json.loads(msgspec.json.encode(CODEC.wrap(meant, known_with(name, version))))
    assert sent_back == message["request"]["args"]
    assert answer["result"] == message["result"]


@pytest.mark.parametrize(("name", "version", "method"), PLAYED)
def test_an_older_answer_is_understood(name: str, version: str, method: str):
    """Today's caller can read the reply of a server of that version; what came later has its default."""
    declared, levels = INTERFACES[name].methods[method], known_with(name, version)

    answer = CODEC.unwrap(recorded.kept(name, version)[method]["result"])

    sent = CODEC.wrap(recorded.sample(declared.result), levels)
    assert msgspec.convert(answer, declared.result) == msgspec.convert(CODEC.unwrap(sent), declared.result)
