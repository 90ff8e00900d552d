"""Messages as each version of each interface writes them, kept on disk for as long as its major is served.

``tests/contracts/<Interface>-<version>.json`` has for each method the request that a sender of that version makes,
with every argument it knows, and the result that a server of that version gives.  ``pytest tests/contracts --rewrite``
writes the file of the version that the code has now; those of older versions are never written again.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from mininova import rpc
from mininova.context import RequestContext
from mininova.objects import Versioned
from mininova.rpc import envelope
from mininova.rpc.transport import Transport
from mininova.wire import CODEC

FOLDER = Path(__file__).with_name("contracts")
CTXT = RequestContext(request_id="req-recorded", user_id="a user", project_id="a project", roles=("member",))

_PLAIN = {str: "text", int: 7, float: 1.5, bool: True, object: "anything", Any: "anything", type(None): None}
_MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def sample(hint: Any) -> Any:
    """Make a value of a type: the same one each time, with every field set."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return sample(inner[0])
    if origin in (Union, UnionType):
        return sample(inner[0])
    if origin in (list, tuple):
        return origin([sample(inner[0])])
    if origin in (dict, Mapping):
        return {"key": sample(inner[1])}
    if isinstance(hint, type) and issubclass(hint, Versioned):
        hints = get_type_hints(hint, include_extras=True)
        return hint(**{name: sample(hints[name]) for name in hint.__struct_fields__})
    return _MOMENT if hint is datetime else _PLAIN[hint]


def arguments(method: rpc.Method) -> dict[str, Any]:
    """Make a value for each argument of a method."""
    return {field.name: sample(field.type) for field in msgspec.structs.fields(method.arguments)}


class _Keeping(rpc.Peer):
    """A peer that keeps what it is to send."""

    def __init__(self) -> None:
        super().__init__(_NOWHERE, name="recorder", codec=CODEC)
        self.kept: dict[str, Any] = {}

    def send(self, method: rpc.Method, ctxt: Any, arguments: dict[str, Any], **how: Any) -> None:
        """See rpc.Peer."""
        request = rpc.Request(
            method=method.name, args=self.wrap(arguments), version=how["version"], namespace=how["namespace"],
            context=self.codec.context_to_wire(ctxt), unique_id="recorded",
        )  # fmt: skip
        self.kept = envelope.unpack(envelope.pack_request(request))


class _Nowhere(Transport):
    """A transport that leads nowhere."""

    def start(self, *args: Any, **how: Any) -> Any:
        """See Transport."""

    stop = subscribe = unsubscribe = declare = declare_pause = waiting = publish = publish_confirmed = start


_NOWHERE = _Nowhere()


def record(interface: type[rpc.Interface]) -> dict[str, Any]:
    """Write what a sender and a server of this version say, method by method."""
    peer, messages = _Keeping(), {}
    for name, method in interface.methods.items():
        getattr(interface(peer), name)(CTXT, **arguments(method))
        result = msgspec.json.decode(msgspec.json.encode(CODEC.wrap(sample(method.result), {})))
        messages[name] = {"request": peer.kept, "result": result}
    return messages


# ---- what is kept


def path(name: str, version: str) -> Path:
    """Name the file of one version of an interface."""
    return FOLDER / f"{name}-{version}.json"


def kept(name: str, version: str) -> dict[str, Any]:
    """Read what a version of an interface says."""
    file = path(name, version)
    return json.loads(file.read_text()) if file.exists() else {}


def keep(name: str, version: str, messages: dict[str, Any]) -> None:
    """Write what a version of an interface says."""
    path(name, version).write_text(json.dumps(messages, indent=2, sort_keys=True) + "\n")
