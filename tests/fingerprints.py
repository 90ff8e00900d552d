"""What interfaces and objects promise to other versions of mininova, in a form that is kept and compared.

``tests/contracts/fingerprints.json`` has a line for each method and each field.  A promise that changes without a new
version breaks a rolling upgrade, so the tests fail; ``pytest tests/contracts --rewrite`` keeps what is meant.
"""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

import mininova
from mininova import objects
from mininova.objects import Versioned
from mininova.objects.base import field_versions
from mininova.rpc import Interface, Method, Version
from mininova.rpc.interface import CALL

KEPT = Path(__file__).with_name("contracts") / "fingerprints.json"

Print = dict[str, Any]


def interfaces() -> dict[str, type[Interface]]:
    """Find the interface of every service."""
    found = {}
    for rpcapi in Path(mininova.__file__).parent.glob("*/rpcapi.py"):
        members = vars(importlib.import_module(f"mininova.{rpcapi.parent.name}.rpcapi")).values()
        found |= {cls.__name__: cls for cls in members if isinstance(cls, type) and issubclass(cls, Interface)}
    return found


def versioned() -> dict[str, type[Versioned]]:
    """Find every object that travels."""
    return {name: objects.REGISTRY[name] for name in objects.__all__ if name in objects.REGISTRY}


# ---- what is promised


def of_interface(interface: type[Interface]) -> Print:
    """Write down an interface: its version, and for each method how it is sent, since when, and what with."""
    return {
        "topic": interface.topic,
        "version": interface.version,
        "methods": {name: _method(method) for name, method in interface.methods.items()},
    }


def _method(method: Method) -> str:
    kind = "idempotent call" if method.kind == CALL and method.idempotent else method.kind
    arguments = (f"{name}: {value}" for name, value in _fields(method.arguments, method.argument_since).items())
    return f"{kind} since {method.since}: ({', '.join(arguments)}) -> {_type(method.result)}"


def of_object(cls: type[Versioned]) -> Print:
    """Write down an object: its version, and for each field its type, its default and since when."""
    return {"version": cls.version, "fields": _fields(cls, field_versions(cls))}


def _fields(struct: type[msgspec.Struct], came: Mapping[str, Version | None]) -> dict[str, str]:
    return {
        field.name: _type(field.type) + _default(field) + (f" since {since}" if (since := came.get(field.name)) else "")
        for field in msgspec.structs.fields(struct)
    }


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return f" = {field.default_factory()!r}"
    return "" if field.required else f" = {field.default!r}"


def _type(hint: Any) -> str:
    """Write a type the same way whatever the order of its alternatives and the module it is from."""
    inner = [_type(arg) for arg in get_args(hint)]
    origin = get_origin(hint)
    if origin is Annotated:
        return inner[0]
    if origin in (Union, UnionType):
        return " | ".join(sorted(inner, key=lambda name: (name == "None", name)))
    name = {NoneType: "None", ...: "..."}.get(hint) or getattr(origin or hint, "__name__", str(hint))
    return f"{name}[{', '.join(inner)}]" if inner else name


# ---- what is kept


def kept() -> dict[str, dict[str, Print]]:
    """Read what was promised."""
    return json.loads(KEPT.read_text()) if KEPT.exists() else {"interfaces": {}, "objects": {}}


def keep(kind: str, name: str, now: Print) -> None:
    """Promise something else from now on."""
    promises = kept()
    promises[kind][name] = now
    KEPT.write_text(json.dumps({key: dict(sorted(promises[key].items())) for key in promises}, indent=2) + "\n")


def explain(name: str, before: Print | None, now: Print) -> str:
    """Say what to do about a promise that is not the one that was kept."""
    if before is not None and before["version"] == now["version"]:
        return f"{name} has changed and is still {now['version']}: raise it, and mark what is new with since()"
    return f"{name} {now['version']} is new: keep it with pytest tests/contracts --rewrite"
