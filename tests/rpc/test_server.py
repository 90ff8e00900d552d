"""What a server demands of a manager before it serves; how it serves is in tests/wire/test_transport*.py."""

import pytest

from mininova.rpc.server import check_manager
from tests.fixtures.rpc_bench import Keeper, LampAPI, MemoryBench


def test_a_manager_that_implements_the_interface_is_accepted():
    """It has the same methods with the same arguments."""
    check_manager(LampAPI, Keeper())


def test_a_manager_that_lacks_a_method_is_refused():
    """The server does not start, and the error names the method."""

    class Half:
        def get(self, ctxt, name): ...

    with pytest.raises(TypeError, match=r"Half does not implement LampAPI\.toggle"):
        check_manager(LampAPI, Half())


def test_a_manager_with_other_arguments_is_refused():
    """The server does not start, and the error says how the two differ."""

    class Other(Keeper):
        def switch(self, ctxt, lamp): ...

    with pytest.raises(TypeError, match=r"Other\.switch takes \['lamp'\], LampAPI declares \['lamp', 'colour'\]"):
        check_manager(LampAPI, Other())


def test_a_server_that_cannot_serve_reads_no_queue():
    """It could take a message away from a server that works."""
    bench = MemoryBench()

    with pytest.raises(TypeError, match="does not implement"):
        bench.serve(object())
    assert bench.topic not in bench.broker.queues
