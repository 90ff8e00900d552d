"""A message passes few functions from the method of an interface to the socket, and no module imports itself."""

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import mininova.rpc
from mininova.rpc.transports.amqp.wire import FrameWriter
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.rpc_bench import CTXT, AMQPBench, Keeper, Lamp

LIBRARY = Path(mininova.rpc.__file__).parent
MOST = 7


def names(frame: FrameType | None) -> list[str]:
    """Name the functions of the library on the stack, from the outermost on."""
    found = []
    while frame is not None:
        if Path(frame.f_code.co_filename).is_relative_to(LIBRARY):
            found.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return found[::-1]


@contextmanager
def at(function: Callable[..., Any]) -> Iterator[list[list[str]]]:
    """Give the stack of this thread each time that it calls a function."""
    ways: list[list[str]] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code is function.__code__:
            ways.append(names(frame))

    sys.setprofile(note)
    try:
        yield ways
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("kind", ["cast", "call", "fanout"])
def test_the_way_out_is_short(kind: str, private_broker: PrivateBroker):
    """At most seven functions, one of them in the thread that writes to the socket."""
    bench = AMQPBench(private_broker.url)
    bench.serve(Keeper())
    client, writing = bench.client(), list[list[str]]()
    link = bench.peers[-1].transport._live.link
    send = link._writer._send

    def spy(data: bytes) -> None:
        writing.append(names(sys._getframe()))
        send(data)

    link._writer._send = spy
    sends: dict[str, Callable[[], object]] = {
        "cast": lambda: client.switch(CTXT, Lamp("desk")),
        "call": lambda: client.get(CTXT, "desk"),
        "fanout": lambda: client.dim(CTXT, 20),
    }
    sends[kind]()  # the first one may declare an exchange
    with at(FrameWriter.write) as ways:
        sends[kind]()
    bench.close()

    assert len(ways) == 1
    assert len(ways[0]) + len(writing[-1]) <= MOST, [*ways[0], *writing[-1]]


# ---- imports


def imported(module: Path) -> set[str]:
    """Name what a module of the library imports of it, also what only a type checker sees."""
    found = set[str]()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_module_imports_itself_through_others():
    """The modules of the library can be read from the bottom up."""
    modules = {
        ".".join(path.relative_to(LIBRARY.parents[1]).with_suffix("").parts): path
        for path in LIBRARY.rglob("*.py")
        if path.name != "__init__.py"
    }
    left = {name: imported(path) & modules.keys() - {name} for name, path in modules.items()}
    while readable := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in readable}

    assert sorted(left) == []
