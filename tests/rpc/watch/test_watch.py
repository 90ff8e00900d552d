"""Several watches act as one."""

from contextlib import contextmanager

import pytest

from mininova.rpc.watch.base import Watch, together
from tests.fixtures.rpc_bench import CTXT, Keeper, Lamp, LampBroken, MemoryBench, broken


class Diary(Watch):
    """Writes down what it sees."""

    def __init__(self, name, pages):
        self.name, self.pages = name, pages

    @contextmanager
    def _page(self, what, given=None):
        self.pages.append(f"{self.name}: {what}")
        try:
            yield given
        except Exception as error:
            self.pages.append(f"{self.name}: {type(error).__name__}")
            raise

    def sending(self, pattern, topic, message, request):
        """See Watch."""
        return self._page(f"{pattern} {request.method}", message)

    def handling(self, topic, message, request):
        """See Watch."""
        return self._page(f"handles {request.method}")

    def happened(self, kind, message, request, **more):
        """See Watch."""
        self.pages.append(f"{self.name}: {kind}")


def watched(**does):
    """Give a client and a server that two watch, what these see, and the bench."""
    bench, pages = MemoryBench(), []
    peer = bench.peer(watch=together([Diary("one", pages), Diary("two", pages)]))
    bench.serve(Keeper(**does), peer=peer)
    return bench.client(peer), pages, bench


def test_none_and_one_are_themselves():
    """No watch at all, or a single one, is used without a wrapper."""
    only = Watch()

    assert together([]) is None
    assert together([only]) is only


def test_each_sees_everything():
    """Watches are called in the order in which they were given."""
    client, pages, _ = watched()

    client.get(CTXT, "desk")

    assert [page.removeprefix("one: ") for page in pages if page.startswith("one")] == [
        "call get", "received", "handles get", "replied",
    ]  # fmt: skip
    assert [page.replace("two", "one") for page in pages[1::2]] == pages[::2]


def test_an_error_passes_through_each():
    """The watches see the handler's error on the server and the caller's error on the client."""
    client, pages, _ = watched(get=broken)

    with pytest.raises(LampBroken):
        client.get(CTXT, "desk")

    assert [page for page in pages if "Broken" in page] == ["two: LampBroken", "one: LampBroken"] * 2


def test_a_watch_without_methods_changes_nothing():
    """A watch that defines no method leaves messages as they are."""
    bench = MemoryBench()
    keeper, peer = Keeper(), bench.peer(watch=Watch())
    bench.serve(keeper, peer=peer)
    client = bench.client(peer)

    assert client.get(CTXT, "desk") == Lamp("desk")
    client.switch(CTXT, Lamp("desk"))
    bench.deliver()

    assert keeper.asked.qsize() == 2
