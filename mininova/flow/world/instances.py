"""The instances of the world: their states and hosts, as the messages that carry them say."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any

from mininova.flow.payload import at as at_path
from mininova.flow.world.common import Row, put
from mininova.objects.base import DATA, NAME

MAX_INSTANCES = 20_000


class Instances:
    """What became of instances; the generation of a row, or else the time, says what is newer."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, float, Row]] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()  # the last ones: what is told late brings none back
        self._touched, self._gone_since = set[str](), deque[str](maxlen=MAX_INSTANCES)

    def all_in(self, payload: Any, at: float) -> None:
        for data in _instances(payload):
            uuid, generation = data.get("uuid"), data.get("generation")
            if isinstance(uuid, str) and isinstance(generation, int):
                self._keep(uuid, generation, at, data, ("vm_state", "task_state"), data.get("display_name"))

    def notified(self, event_type: str, payload: Any, at: float) -> None:
        uuid = at_path(payload, "instance_id")
        if not isinstance(uuid, str) or not event_type.startswith("compute.instance."):
            return
        if event_type == "compute.instance.delete.end":
            self.forget(uuid)
        elif event_type == "compute.instance.update" and uuid in self._known:
            generation = self._known[uuid][0]
            self._keep(uuid, generation, at, payload, ("state", "new_task_state"), payload.get("display_name"))

    def _keep(self, uuid: str, generation: int, at: float, data: Row, states: tuple[str, str], name: Any) -> None:
        before, when, row = self._known.get(uuid, (-1, 0.0, {}))
        if uuid in self._gone or (generation, at) < (before, when):
            return
        vm_state, task_state = (data.get(key) or None for key in states)
        if vm_state == "deleted":
            self.forget(uuid)
            return
        new = {
            "uuid": uuid,
            "name": name or row.get("name", ""),
            "host": data.get("host", row.get("host")) or None,
            "vm_state": vm_state,
            "task_state": task_state,
        }
        same = all(new[key] == row.get(key) for key in ("vm_state", "task_state"))
        new["since"] = row["since"] if same and row else at
        if new != row:
            self._touched.add(uuid)
        put(self._known, uuid, (generation, at, new), MAX_INSTANCES + 1)
        if len(self._known) > MAX_INSTANCES:
            self._leave(next(iter(self._known)))

    def forget(self, uuid: Any) -> None:
        if isinstance(uuid, str):
            put(self._gone, uuid, None)
            self._leave(uuid)

    def _leave(self, uuid: str) -> None:
        if self._known.pop(uuid, None) is not None:
            self._touched.discard(uuid)
            self._gone_since.append(uuid)

    def rows(self) -> list[Row]:
        return [row for _, _, row in self._known.values()]

    def changes(self) -> list[Row]:
        touched, self._touched = self._touched, set()
        return [self._known[uuid][2] for uuid in sorted(touched)]

    def gone_since(self) -> list[str]:
        gone = list(self._gone_since)
        self._gone_since.clear()
        return gone


def _instances(value: Any) -> Iterator[Row]:
    """Find the instances in a payload."""
    if isinstance(value, list):
        for item in value:
            yield from _instances(item)
    elif isinstance(value, dict):
        data = value.get(DATA)
        if isinstance(data, dict) and value.get(NAME) == "Instance":
            yield data
        else:
            for item in (data if isinstance(data, dict) else value).values():
                if isinstance(item, (dict, list)):
                    yield from _instances(item)
