"""How our objects, contexts and errors travel: the codec that every Peer of ours gets from its Process."""

from typing import Any

from mininova import errors, objects, rpc
from mininova.context import RequestContext
from mininova.rpc.errors import WIRE
from mininova.service import log


def _context_from_wire(values: dict[str, Any]) -> RequestContext:
    """Read a message's context, and have the log lines of its handler carry the request id."""
    ctxt = RequestContext.from_wire(values)
    log.working_for(ctxt.request_id)
    return ctxt


CODEC = rpc.Codec(
    wrap=objects.wrap,
    unwrap=objects.unwrap,
    context_to_wire=RequestContext.to_wire,
    context_from_wire=_context_from_wire,
    errors={**errors.REGISTRY, **WIRE},
)
