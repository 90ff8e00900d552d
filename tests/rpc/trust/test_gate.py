"""The library's gate: the declaration says who may call a method, and the application may add conditions."""

from typing import Any

import msgspec
import pytest

from mininova import rpc
from mininova.rpc.transports.memory import MemoryBroker, MemoryTransport


class Who(msgspec.Struct, frozen=True):
    """A sender's identity, as an application has it."""

    kind: str


class ThingAPI(rpc.Interface):
    """Methods with callers of several kinds."""

    topic, version = "things", "1.0"

    @rpc.call(since="1.0", by={"clerk", "courier"})
    def take(self, ctxt: Any, name: str) -> None:
        """Take a thing."""

    @rpc.call(since="1.0", by=rpc.ANYBODY)
    def count(self, ctxt: Any) -> int:
        """Count things."""


class SilentAPI(ThingAPI):
    """Has one method that does not say who may call it."""

    @rpc.call(since="1.0")
    def forgotten(self, ctxt: Any, name: str) -> None:
        """Do something."""


class Shop:
    """Implements both."""

    def take(self, ctxt, name):
        """See ThingAPI."""

    def count(self, ctxt):
        """See ThingAPI."""

    def forgotten(self, ctxt, name):
        """See SilentAPI."""


KNOWN = {"ann": Who("clerk"), "bob": Who("courier"), "cid": Who("thief")}


def own(who: Who, method: rpc.Method, arguments: Any) -> str:
    """Let couriers take only their own things."""
    return "" if who.kind == "clerk" or arguments["name"] == "parcel" else "it is no parcel"


GATE = rpc.Gate(KNOWN.get, own, lambda arguments: arguments["name"])


def ask(caller: str | None, name: str = "parcel", method: str = "take", gate: rpc.Gate = GATE) -> None:
    """Ask a gate."""
    gate(caller, SilentAPI.methods[method], {"name": name})


@pytest.mark.parametrize("caller", ["ann", "bob"])
def test_the_kinds_of_the_declaration_pass(caller):
    """A sender of a kind that ``by`` names may call the method."""
    ask(caller)


@pytest.mark.parametrize(
    ("caller", "name", "why"),
    [
        ("cid", "parcel", "cid may not take parcel: only clerk and courier may, and it is of the kind thief"),
        ("dot", "parcel", "dot may not take parcel: its identity is not known here"),
        (None, "parcel", "a sender without a name may not take parcel: its identity is not known here"),
        ("bob", "till", "bob may not take till: it is no parcel"),
    ],
)
def test_all_others_are_forbidden(caller, name, why):
    """The error says which sender may not do what, to which thing, and why."""
    with pytest.raises(rpc.Forbidden) as refused:
        ask(caller, name)
    assert str(refused.value) == why
    assert refused.value.details == {"caller": caller, "method": "take", "object": name}


def test_a_method_without_callers_is_closed():
    """A method declared without ``by`` is closed, not open."""
    with pytest.raises(rpc.Forbidden, match="nothing may, and it is of the kind clerk"):
        ask("ann", method="forgotten")


@pytest.mark.parametrize("caller", ["cid", "dot", None])
def test_a_method_for_any_sender(caller):
    """A method for ANYBODY can be called by an unknown sender, too."""
    ask(caller, method="count")


def test_an_open_gate():
    """A project without identities lets every message pass."""
    ask(None, method="forgotten", gate=rpc.Gate())


def test_a_server_does_not_start_with_a_method_that_names_no_caller():
    """The error names the method; where senders have no identities, the server starts."""
    checked, unchecked = (
        rpc.Peer(MemoryTransport(MemoryBroker()), name="things.a", trust=trust)
        for trust in (rpc.Trust(gate=GATE), rpc.Trust())
    )
    with pytest.raises(TypeError, match=r"SilentAPI\.forgotten does not say who may call it"):
        rpc.Server(checked, "a", [(SilentAPI, Shop())])
    rpc.Server(unchecked, "a", [(SilentAPI, Shop())])


def test_one_word_is_no_set_of_kinds():
    """``by="api"`` would otherwise be the kinds a, p and i."""
    with pytest.raises(TypeError, match=r"by='api' is one word"):
        rpc.cast(since="1.0", by="api")(ThingAPI.methods["take"].function)
