"""An instance's life: each state written for it, on which host, and the request that caused it.  Pure functions.

Notifications tell it: the services of the controller send ``compute.instance.update`` with each state that they write,
and the others say what goes on in between.  A compute may be taken over, so no state is taken from what one sends.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mininova.flow import changes
from mininova.flow.payload import at, plain
from mininova.flow.summary import Summary
from mininova.rpc.watch.flow import MessageEvent
from mininova.trust.identities import COMPUTE

MAX_STEPS = 10_000  # of one life: the latest

_ABOUT_INSTANCES = "compute.instance."


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened to an instance, and where that left it.

    :param at: seconds since the epoch
    :param host: where it is, or ""
    :param event: the type of the notification that told it
    :param what: the HTTP request that caused it, or the first message of one that began inside
    :param change: ``scheduling → networking``; "" for an event that writes no state
    :param error: what went wrong
    """

    at: float
    vm_state: str | None = None
    task_state: str | None = None
    host: str = ""
    request_id: str = ""
    what: str = ""
    event: str = ""
    change: str = ""
    error: str = ""


def steps(uuid: str, events: Iterable[MessageEvent], requests: Iterable[Summary] = ()) -> list[Step]:
    """Tell an instance's life in the order of time.

    :param uuid: the instance's
    :param events: those of all requests that touched it
    :param requests: these requests, which say what they are
    """
    asked = {one.request_id: one.what for one in requests}
    told: list[Step] = []
    before = Step(at=0.0)
    for event in sorted(events, key=lambda event: event.at):
        payload = plain(event.payload)
        if not _tells_of(event, uuid, payload):
            continue
        step = _step(event, payload, before, asked.get(event.request_id or "", ""))
        told.append(step)
        before = step
    return told[-MAX_STEPS:]


def _tells_of(event: MessageEvent, uuid: str, payload: Any) -> bool:
    is_news = event.kind == "sent" and event.pattern == "notification" and event.method.startswith(_ABOUT_INSTANCES)
    return is_news and at(payload, "instance_id") == uuid


def _step(event: MessageEvent, payload: Mapping[str, Any], before: Step, what: str) -> Step:
    vm_state, task_state, host, change = before.vm_state, before.task_state, before.host, ""
    if not event.sender.startswith(f"{COMPUTE}."):
        host = _text(payload.get("host"))
        if event.method == changes.STATE_WRITTEN:
            vm_state, task_state = _text(payload.get("state")) or None, _text(payload.get("new_task_state")) or None
            change = changes.asked(event.method, payload, None)
    return Step(
        at=event.at, vm_state=vm_state, task_state=task_state, host=host, request_id=event.request_id or "", what=what,
        event=event.method, change=change, error="" if change else changes.asked(event.method, payload, None),
    )  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
