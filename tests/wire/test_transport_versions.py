"""Several interfaces and several majors in one server, and what each server says of itself."""

from typing import Annotated, Any

import pytest

from mininova import rpc
from mininova.rpc.baseapi import OsloPing
from tests.fixtures.rpc_bench import CTXT, Bench, Keeper, Lamp


class SwitchAPI(rpc.Interface):
    """A second interface of a lamp server, in a namespace of its own."""

    namespace, version = "switches", "1.1"

    @rpc.call(since="1.1")
    def get(self, ctxt: Any, room: str) -> int:
        """Count the switches of a room."""


class LampAPI2(rpc.Interface):
    """The next major of the lamps, where ``get`` gives a list."""

    version = "2.1"

    @rpc.call(since="2.0")
    def get(self, ctxt: Any, names: list[str], sort: Annotated[bool, rpc.since("2.1")] = False) -> list[Lamp]:
        """Look at several lamps."""


class Switches:
    """Implements SwitchAPI."""

    def get(self, ctxt, room):
        """See SwitchAPI."""
        return len(room)


class Keeper2:
    """Implements LampAPI2."""

    def get(self, ctxt, names, sort):
        """See LampAPI2."""
        return [Lamp(name) for name in (sorted(names) if sort else names)]


def of(bench: Bench, interface: type[rpc.Interface]) -> type[rpc.Interface]:
    """Give the interface on this bench's topic."""
    return type(interface.__name__, (interface,), {"topic": bench.topic})


def serve(bench: Bench, *more: tuple[type[rpc.Interface], object]) -> None:
    """Serve the lamps, and other interfaces beside them."""
    endpoints = [(bench.api, Keeper()), *((of(bench, interface), manager) for interface, manager in more)]
    rpc.Server(bench.peer("lamp.a"), "a", endpoints, spawn=bench.spawn).start()


def test_interfaces_share_a_server(bench: Bench):
    """The namespace chooses the interface, even when both have a method of that name."""
    serve(bench, (SwitchAPI, Switches()))
    peer = bench.peer()

    assert of(bench, SwitchAPI)(peer).get(CTXT, "hall") == 4
    assert bench.api(peer).get(CTXT, "hall") == Lamp("hall")


def test_majors_are_served_side_by_side(bench: Bench):
    """While senders move from one major to the next, the server understands both."""
    serve(bench, (LampAPI2, Keeper2()))
    peer = bench.peer()

    assert bench.api(peer).get(CTXT, "desk") == Lamp("desk")
    assert of(bench, LampAPI2)(peer).get(CTXT, ["b", "a"], sort=True) == [Lamp("a"), Lamp("b")]


def test_a_major_that_is_not_served_is_refused(bench: Bench):
    """The error names the version that was asked for, and those that are served."""
    serve(bench)

    with pytest.raises(rpc.UnsupportedVersion, match=r"cannot run get 2\.0: it speaks LampAPI 1\.2") as caught:
        of(bench, LampAPI2)(bench.peer()).get(CTXT, ["desk"])
    assert (caught.value.details["asked"], caught.value.details["offered"]) == ("2.0", "LampAPI 1.2")


def test_a_method_of_another_namespace_is_not_reached(bench: Bench):
    """An interface has its own methods and no others."""
    serve(bench, (SwitchAPI, Switches()))
    stranger = type("SwitchAPI", (of(bench, SwitchAPI),), {"toggle": bench.api.methods["toggle"]})

    with pytest.raises(rpc.NoSuchMethod, match="SwitchAPI declares no method toggle"):
        stranger(bench.peer()).toggle(CTXT, "desk")


def test_one_server_serves_one_topic(bench: Bench):
    """A server reads the queues of its topic, so messages to another topic would never come."""
    with pytest.raises(TypeError, match="one topic, not 2"):
        rpc.Server(
            bench.peer("lamp.a"), "a", [(bench.api, Keeper()), (type("S", (SwitchAPI,), {"topic": "x"}), Switches())]
        )


# ---- what each server answers


def test_a_server_answers_a_ping(bench: Bench):
    """It answers with its name, and with the argument."""
    serve(bench)

    answer = rpc.BaseAPI(bench.peer(), topic=bench.topic).on("a").ping(CTXT, {"sent": [1, "two"]})

    assert answer == {"service": bench.topic, "arg": {"sent": [1, "two"]}}


def test_a_server_answers_the_ping_of_oslo_messaging(bench: Bench):
    """Tools that watch oslo.messaging's servers can watch ours."""
    serve(bench)

    assert OsloPing(bench.peer(), topic=bench.topic).oslo_rpc_server_ping(CTXT) == "pong"


def test_a_server_describes_itself(bench: Bench):
    """It lists its interfaces and their versions, and since when each method can be called."""
    serve(bench, (SwitchAPI, Switches()), (LampAPI2, Keeper2()))

    told = rpc.BaseAPI(bench.peer(), topic=bench.topic).describe(CTXT)

    assert (told.topic, told.host) == (bench.topic, "a")
    assert [(one.name, one.namespace, one.version) for one in told.interfaces] == [
        ("LampAPI", None, "1.2"),
        ("SwitchAPI", "switches", "1.1"),
        ("LampAPI2", None, "2.1"),
        ("BaseAPI", "baseapi", "1.0"),
    ]
    assert told.interfaces[0].methods == {"get": "1.0", "toggle": "1.0", "switch": "1.0", "dim": "1.1"}
