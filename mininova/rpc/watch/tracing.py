"""The trace that the work in hand belongs to: W3C Trace Context, taken from a message and given to those that follow.

A trace that a client or another service began (with a ``traceparent`` header) goes on through every message
that is sent on its behalf: the same trace id, a parent id of its own for each message.  Nothing begins one here;
spans.py does, where OpenTelemetry is configured.  ``peer.py`` and the notifier send it, ``server.py`` takes it up.

Source: https://www.w3.org/TR/2021/REC-trace-context-1-20211123/
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"

_MOST_STATE = 512  # characters that must be passed on; of more than that nothing is
_MOST_MEMBERS = 32
_SAMPLED = 0x01  # the one flag that version 00 knows; the others are sent as 0

_PARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII
)
_MEMBER = re.compile(
    r"[a-z][a-z0-9_*/-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
    r"|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One place in a trace.

    :param trace_id: 32 hexadecimal digits
    :param parent_id: 16 of them, for what follows from here
    :param sampled: whether it is kept
    :param state: what tracing systems hand on to themselves, as it came
    """

    trace_id: str
    parent_id: str
    sampled: bool = False
    state: str = ""

    def headers(self) -> dict[str, str]:
        """Write it as the headers of a message or a request."""
        parent = {TRACEPARENT: f"00-{self.trace_id}-{self.parent_id}-{int(self.sampled):02x}"}
        return {**parent, TRACESTATE: self.state} if self.state else parent


def read(headers: Mapping[str, str]) -> Trace | None:
    """Read the headers of a message or a request; what is malformed counts as not there."""
    found = _PARENT.fullmatch(headers.get(TRACEPARENT, ""))
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "00" and more is not None:  # only a later version may say more
        return None
    return Trace(trace_id, parent_id, bool(int(flags, 16) & _SAMPLED), _state(headers.get(TRACESTATE, "")))


def _state(text: str) -> str:
    """Give a tracestate as it is to be sent on, or nothing if it is malformed in any part."""
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    fits = len(members) <= _MOST_MEMBERS and len(text) <= _MOST_STATE and len(keys) == len(members)
    return ",".join(members) if fits and all(map(_MEMBER.fullmatch, members)) else ""


def trace_id(headers: Mapping[str, str]) -> str | None:
    """Give the id of the trace that a message belongs to, if it belongs to one."""
    trace = read(headers) if headers else None
    return None if trace is None else trace.trace_id


# ---- the trace of the work in hand

_current: ContextVar[Trace | None] = ContextVar("rpc_trace", default=None)
_NO_TRACE: Mapping[str, str] = {}


def current() -> Trace | None:
    """Give the trace that this thread works for, if any."""
    return _current.get()


def onward() -> Mapping[str, str]:
    """Give the headers for a message that is sent now: the same trace, and a new parent id."""
    trace = _current.get()
    if trace is None:
        return _NO_TRACE
    return Trace(trace.trace_id, secrets.token_hex(8), trace.sampled, trace.state).headers()


def concerns(headers: Mapping[str, str]) -> bool:
    """Tell whether ``continuing`` has anything to do."""
    return bool(headers) or _current.get() is not None


def continuing(headers: Mapping[str, str]) -> AbstractContextManager[None]:
    """Run a block for the trace that a message or a request belongs to, or for none."""
    return within(read(headers))


@contextmanager
def within(trace: Trace | None) -> Iterator[None]:
    """Run a block for a trace, or for none."""
    token = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(token)
