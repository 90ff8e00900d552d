"""A client's messages, from their declaration: the lowest version that carries one, pins, and checks of arguments."""

from typing import Annotated, Any

import pytest

from mininova import rpc
from tests.fixtures.rpc_bench import Lamp, LampAPI


class Sent:
    """Stands for a Peer: writes down what would be sent."""

    def __init__(self):
        self.messages = []
        self.known = {}

    def levels(self):
        """See Peer.levels."""
        return self.known

    def send(self, method, ctxt, arguments, **where):
        """See Peer.send."""
        self.messages.append((method.name, arguments, where))
        return "answer"


@pytest.fixture
def sent():
    """Give a peer that sends nothing."""
    return Sent()


# ---- versions


def test_a_message_is_sent_in_the_lowest_version_that_carries_it(sent):
    """A method of the first version goes out as 1.0, a newer one as the version that brought it."""
    LampAPI(sent).get({}, "desk")
    LampAPI(sent).dim({}, 20)

    assert [where["version"] for _, _, where in sent.messages] == ["1.0", "1.1"]


def test_a_new_argument_raises_the_version(sent):
    """A message that carries it needs the version that brought it."""
    LampAPI(sent).switch({}, Lamp("desk"), colour="red")

    (_, arguments, where), *_ = sent.messages
    assert arguments["colour"] == "red"
    assert where["version"] == "1.2"


def test_a_new_argument_at_its_default_is_left_out(sent):
    """An older receiver does the same without it, so it still understands the message."""
    LampAPI(sent).switch({}, Lamp("desk"), colour="white")

    (_, arguments, where), *_ = sent.messages
    assert arguments == {"lamp": Lamp("desk")}
    assert where["version"] == "1.0"


def test_an_old_argument_at_its_default_is_sent(sent):
    """Only newer arguments are left out: the receiver's default may differ from the sender's."""
    LampAPI(sent).dim({})

    assert sent.messages[0][1] == {"percent": 50}


def test_a_pin_refuses_before_sending(sent):
    """The sender gets an error, which says which version the receivers would need."""
    pinned = LampAPI(sent, pin="1.1")

    with pytest.raises(rpc.UnsupportedVersion, match=r"lamp\.switch needs version 1\.2 .* speak 1\.1") as caught:
        pinned.switch({}, Lamp("desk"), colour="red")
    assert caught.value.details == {"service": "lamp", "interface": "LampAPI", "asked": "1.2", "offered": "1.1"}
    assert sent.messages == []


@pytest.mark.parametrize("known", [["1.1"], ["1.2", "1.1"], ["1.3", "1.1 2.0"], ["1.2 1.1", "1.1"]])
def test_the_receivers_known_versions_are_a_pin(sent, known):
    """Any receiver may get the message, so the oldest of them decides."""
    sent.known = {"lamp": known}

    LampAPI(sent).dim({})
    with pytest.raises(rpc.UnsupportedVersion, match=r"its receivers speak 1\.1"):
        LampAPI(sent).switch({}, Lamp("desk"), colour="red")
    assert len(sent.messages) == 1


def test_a_pin_counts_for_more_than_what_the_peer_knows(sent):
    """An operator's pin overrides what the peer found out."""
    sent.known = {"lamp": ["1.0"]}

    LampAPI(sent, pin="1.2").switch({}, Lamp("desk"), colour="red")

    assert sent.messages[0][2]["version"] == "1.2"


def test_receivers_of_another_major_get_nothing(sent):
    """A server of the next major refuses even our oldest message."""
    sent.known = {"lamp": ["1.2 2.0", "2.1"]}

    with pytest.raises(rpc.UnsupportedVersion, match=r"its receivers speak 1\.2 2\.0 and 2\.1"):
        LampAPI(sent).get({}, "desk")
    assert sent.messages == []


class Dimmer(rpc.Interface):
    """An interface whose newer argument older receivers can do without."""

    topic, version = "dimmer", "1.1"

    @rpc.call(since="1.0")
    def dim(self, ctxt: Any, percent: int, why: Annotated[str, rpc.since("1.1", dispensable=True)] = "") -> None:
        """Dim."""


def test_an_optional_newer_argument_is_left_out_for_older_receivers(sent):
    """They get the rest of the message, in a version that they know."""
    for known in ["1.0"], ["1.1"]:
        sent.known = {"dimmer": known}
        Dimmer(sent).dim({}, 20, why="it is late")

    assert [(arguments, where["version"]) for _, arguments, where in sent.messages] == [
        ({"percent": 20}, "1.0"),
        ({"percent": 20, "why": "it is late"}, "1.1"),
    ]


def test_a_client_names_the_topic_of_an_interface_of_many(sent):
    """A client of such an interface names the topic; the interface has none."""
    LampAPI(sent, topic="shop").on("a").get({}, "desk")

    assert (sent.messages[0][2]["topic"], sent.messages[0][2]["host"]) == ("shop", "a")


def test_a_pin_lets_through_what_the_receivers_know(sent):
    """A pinned client still sends what older receivers understand."""
    LampAPI(sent, pin="1.0").switch({}, Lamp("desk"), colour="white")

    assert sent.messages[0][2]["version"] == "1.0"


@pytest.mark.parametrize("pin", ["1.3", "2.0", "0.9"])
def test_a_pin_that_cannot_be_spoken_is_refused(sent, pin):
    """A client cannot be pinned beyond its own interface, or to another major."""
    with pytest.raises(rpc.UnsupportedVersion, match=f"LampAPI 1.2 cannot speak {pin}, to which it is pinned"):
        LampAPI(sent, pin=pin)


@pytest.mark.parametrize("pin", ["new", "1", "1.2.3"])
def test_a_pin_that_is_no_version_is_refused(sent, pin):
    """The error says what is wrong; the reader of the settings adds where it stands."""
    with pytest.raises(ValueError, match=r"MAJOR\.MINOR"):
        LampAPI(sent, pin=pin)


# ---- arguments


@pytest.mark.parametrize(
    ("args", "kwargs", "named"),
    [
        ((), {}, "lamp"),
        ((Lamp("desk"),), {"size": 3}, "size"),
        ((Lamp("desk"), "red", 3), {}, "too many"),
        ((5,), {}, r"\$\.lamp"),
        ((Lamp("desk"),), {"colour": 7}, r"\$\.colour"),
        ((Lamp("desk"),), {"lamp": Lamp("hall")}, "lamp"),
    ],
)
def test_wrong_arguments_are_refused_before_sending(sent, args, kwargs, named):
    """The error names the argument that is missing, unknown or of the wrong type, before anything is sent."""
    with pytest.raises(rpc.InvalidArguments, match=f"switch: .*{named}"):
        LampAPI(sent).switch({}, *args, **kwargs)
    assert sent.messages == []


def test_arguments_may_be_given_by_name_or_by_place(sent):
    """A client's method is called like any function."""
    LampAPI(sent).switch({}, Lamp("desk"), "red")
    LampAPI(sent).switch({}, colour="red", lamp=Lamp("desk"))

    assert sent.messages[0] == sent.messages[1]


def test_an_argument_may_have_any_name(sent):
    """An argument may have a name that the library uses itself."""

    class Odd(rpc.Interface):
        topic, version = "odd", "1.0"

        @rpc.call(since="1.0")
        def take(self, ctxt: Any, args: int, kwargs: int, client: int, method: int, arguments: int) -> None:
            """Take them all."""

    Odd(sent).take({}, args=1, kwargs=2, client=3, method=4, arguments=5)

    assert sent.messages[0][1] == {"args": 1, "kwargs": 2, "client": 3, "method": 4, "arguments": 5}


# ---- where to


def test_on_and_within_narrow_a_client(sent):
    """Each gives another client and leaves the first as it was."""
    client = LampAPI(sent, pin="1.1")
    client.on("a").within(3).get({}, "desk")
    client.get({}, "desk")

    narrowed, plain = (where for _, _, where in sent.messages)
    assert (narrowed["topic"], narrowed["host"], narrowed["timeout"]) == ("lamp", "a", 3)
    assert (plain["host"], plain["timeout"]) == (None, None)
    with pytest.raises(rpc.UnsupportedVersion):
        client.on("a").switch({}, Lamp("desk"), colour="red")


def test_an_interface_of_a_release_extends_the_one_before():
    """A subclass has the methods of its parent and its own."""

    class Newer(LampAPI):
        version = "1.3"

        @rpc.call(since="1.3")
        def count(self, ctxt: Any, names: Annotated[list[str], rpc.since("1.3")] = []) -> int:
            """Count lamps."""

    assert set(Newer.methods) == {*LampAPI.methods, "count"}
    assert "count" not in LampAPI.methods
