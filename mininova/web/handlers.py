"""Where a message is handled: the method of the manager, with its docstring and its source.

A message names an interface and a method; what is shown is only what an interface of ours declares.  The source is read
as text, so that this process loads no database and no hypervisor to show it.
"""

import ast
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from mininova import errors, rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.flow.message import Line
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.wsgi import Request


class Manager(NamedTuple):
    """Who handles the messages of an interface."""

    name: str
    file: str  # below the package
    interface: type[rpc.Interface]


MANAGERS = {
    "compute": Manager("ComputeManager", "compute/manager.py", ComputeAPI),
    "conductor": Manager("ConductorManager", "conductor/manager.py", ConductorAPI),
    "scheduler": Manager("SchedulerManager", "scheduler/manager.py", SchedulerAPI),
}
_ASKING = frozenset({"call", "cast", "fanout"})


def show(request: Request, interface: str, method: str) -> dict[str, Any]:
    """Show the handler of a declared method."""
    if not _is_declared(interface, method):
        raise errors.NotFound()
    return handler(interface, method)


def link(line: Line) -> str | None:
    """Give the URL of the handler of a message; None for what no handler of ours takes."""
    asks = line.kind in _ASKING and _is_declared(line.interface, line.method)
    return f"/api/handlers/{line.interface}/{line.method}" if asks else None


@cache
def handler(interface: str, method: str) -> dict[str, Any]:
    """Read the handler of a method; "doc" is what its declaration promises, where the handler itself says nothing."""
    manager = MANAGERS[interface]
    text = (files("mininova") / manager.file).read_text()
    found = _method(ast.parse(text), manager.name, method)
    return {
        "name": f"{manager.name}.{method}",
        "file": f"mininova/{manager.file}",
        "line": found.lineno,
        "doc": ast.get_docstring(found) or manager.interface.methods[method].doc,
        "source": "\n".join(text.splitlines()[found.lineno - 1 : found.end_lineno]),
    }


def _is_declared(interface: str, method: str) -> bool:
    manager = MANAGERS.get(interface)
    return manager is not None and method in manager.interface.methods


def _method(module: ast.Module, owner: str, name: str) -> ast.FunctionDef:
    (manager,) = (node for node in module.body if isinstance(node, ast.ClassDef) and node.name == owner)
    return next(node for node in manager.body if isinstance(node, ast.FunctionDef) and node.name == name)
