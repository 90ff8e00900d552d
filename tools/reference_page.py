"""docs/rpc/reference.md, printed from the interfaces themselves: tools/generated.py calls it."""

import inspect
import re
import textwrap
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from mininova import errors, objects, rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.objects.base import field_versions
from mininova.rpc.baseapi import BaseAPI, OsloPing
from mininova.rpc.errors import WIRE
from mininova.rpc.interface import Method
from mininova.rpc.versions import since_of
from mininova.scheduler.rpcapi import SchedulerAPI

INTERFACES = (ConductorAPI, SchedulerAPI, ComputeAPI, BaseAPI, OsloPing)

INTRODUCTION = """\
<!-- Printed by tools/update from the rpcapi modules: change the declarations there, then run tools/update. -->

# What each service can be asked

Every method that can be reached over the broker, as its interface declares it. What is not on this page cannot be
reached. [wire.md](wire.md) says how the messages look, and [promises.md](promises.md) what you may rely on.

A **call** waits for its result; an *idempotent* one may be sent again while it waits. A **cast** returns when the
broker has it on disk, and may be delivered more than once. A **fanout** goes to every server of the topic. A context
travels with each of them, which is left out here. What came later than version 1.0 of its interface says so. Each
method says which senders may call it: an api, a conductor, a compute, or an operator's tool. The broker vouches for who
a sender is; [promises.md](promises.md#who-asks-and-who-answers) has more about that.
"""

OBJECTS = """\
## The objects that travel

Each is declared in `mininova/objects/`, where every field has its type. A field that came later than its object has its
version in brackets. [wire.md](wire.md#a-request) shows an object in a message.
"""

ERRORS = """\
## The errors that come back

A call raises at its caller what its method raised, if the error's name is registered there; otherwise it raises
`RemoteError`. An error is *definite* if the work was certainly not done. These are the library's own:
"""

OUR_ERRORS = """\
Our services register every class of [`mininova/errors.py`](../../mininova/errors.py). The methods above name these:
"""


def page() -> str:
    """Print the page."""
    interfaces = (line for interface in INTERFACES for line in _interface(interface))
    lines = [INTRODUCTION, *_overview(), *interfaces, OBJECTS, *_objects(), ERRORS, *_errors()]
    return "\n".join(lines)


# ---- interfaces


def _overview() -> Iterator[str]:
    yield from _head("Interface", "Topic", "Namespace", "Version", "What it is for")
    for interface in INTERFACES:
        name = f"[`{interface.__name__}`](#{interface.__name__.lower()})"
        topic = _code(interface.topic) if interface.topic else "any"
        namespace = _code(interface.namespace) if interface.namespace else "none"
        yield _row([name, topic, namespace, interface.version, _summary(interface)])
    yield ""


def _interface(interface: type[rpc.Interface]) -> Iterator[str]:
    yield f"## {interface.__name__}\n"
    yield _filled(f"{_summary(interface)} {_where(interface)}")
    for method in interface.methods.values():
        yield from _method(interface, method)


def _where(interface: type[rpc.Interface]) -> str:
    path = interface.__module__.replace(".", "/") + ".py"
    declared = f"Version {interface.version}, declared in [`{path}`](../../{path})."
    if not interface.topic:
        return f"{declared} Every server answers it, on every topic."
    return f"{declared} `{interface.topic}` is any server of it, `{interface.topic}.<host>` the one on a host."


def _method(interface: type[rpc.Interface], method: Method) -> Iterator[str]:
    yield f"### {interface.__name__}.{method.name}\n"
    yield "```python"
    yield from _signature(method)
    yield "```\n"
    prose, fields = _prose(method.doc)
    kind = "Idempotent call" if method.kind == "call" and method.idempotent else method.kind.capitalize()
    since = "" if method.since == (1, 0) else f", since {method.since}"
    yield _filled(f"*{kind}{since}, {_by(method)}.* {prose}")
    if fields:
        yield "\n".join(_filled(f"* {field}", "  ").rstrip() for field in fields) + "\n"


def _by(method: Method) -> str:
    """Say who may call a method."""
    return f"by {' or '.join(sorted(method.by))}" if method.by else "by any sender"


def _signature(method: Method) -> Iterator[str]:
    """Print what a method takes and gives: in one line, or with a line for each argument if there are many."""
    hints = get_type_hints(method.function, include_extras=True)
    result = "" if method.result is type(None) else f" -> {_type(method.result)}"
    arguments = [_argument(p, hints[p.name]) for p in method.parameters]
    one = f"{method.name}({', '.join(text for text, _ in arguments)}){result}"
    if len(one) <= 100 and not any(note for _, note in arguments):
        yield one
        return
    yield f"{method.name}("
    yield from (f"    {text},{note}" for text, note in arguments)
    yield f"){result}"


def _argument(parameter: inspect.Parameter, hint: Any) -> tuple[str, str]:
    """Print an argument, and beside it what is to be known of one that came later."""
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}".replace("'", '"')
    since, note = since_of(hint), ""
    if since is not None:
        note = f"  # since {since.version}" + (", left out for older receivers" if since.dispensable else "")
    return f"{parameter.name}: {_type(hint)}{default}", note


def _type(hint: Any) -> str:
    """Write a type as its declaration does, without the modules."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(args[0])
    if origin in (Union, types.UnionType):
        return " | ".join(map(_type, args))
    if origin is not None:
        return f"{origin.__name__}[{', '.join(map(_type, args))}]"
    if hint in (None, type(None)):
        return "None"
    return "..." if hint is Ellipsis else getattr(hint, "__name__", str(hint))


# ---- objects and errors


def _objects() -> Iterator[str]:
    ours = {name: cls for name, cls in objects.REGISTRY.items() if cls.__module__.startswith("mininova.")}  # no test's
    for name, cls in sorted(ours.items()):
        fields = ", ".join(_code(field) + (f" ({came})" if came else "") for field, came in field_versions(cls).items())
        yield _filled(f"**{name}** {cls.version}. {_summary(cls)} {fields}.")


def _errors() -> Iterator[str]:
    yield from _table_of_errors([*WIRE.values(), rpc.RemoteError])
    yield OUR_ERRORS
    yield from _table_of_errors(errors.REGISTRY[name] for name in sorted(_promised()))


def _table_of_errors(classes: Iterable[type[rpc.RPCError] | type[errors.MininovaError]]) -> Iterator[str]:
    yield from _head("Error", "Definite", "What it means")
    for error in classes:
        yield _row([_code(error.__name__), "yes" if error.definite else "no", _summary(error)])
    yield ""


def _promised() -> set[str]:
    docs = [method.doc for interface in INTERFACES for method in interface.methods.values()]
    return {name for doc in docs for name in re.findall(r":raises (?:errors\.)?(\w+):", doc)} & errors.REGISTRY.keys()


# ---- text


def _summary(cls: type) -> str:
    return _prose(inspect.getdoc(cls) or "")[0]


def _prose(doc: str) -> tuple[str, list[str]]:
    """Divide a docstring into its sentences and its fields (``:param x: …``), both as Markdown."""
    text, *fields = re.split(r"^:(?=param|raises|ivar)", doc, flags=re.MULTILINE)
    paragraph = text.strip().partition("\n\n")[0]
    return _markdown(paragraph), [_field(*field.partition(": ")[::2]) for field in fields]


def _field(kind_and_name: str, text: str) -> str:
    kind, _, name = kind_and_name.partition(" ")
    name = name.removeprefix("errors.")
    return f"raises `{name}` {_markdown(text)}" if kind == "raises" else f"`{name}`: {_markdown(text)}"


def _markdown(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _filled(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) + "\n"


def _head(*headings: str) -> Iterable[str]:
    return [_row(headings), _row(["---"] * len(headings))]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _code(word: str) -> str:
    return f"`{word}`"
