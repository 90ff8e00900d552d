"""The cloud as its messages show it: services, queues and instances, derived from events.  No service is asked.

A compute may be taken over (reports.py), so what it says counts for one thing: that the compute itself is there, and
works.  What becomes of instances, and which hosts report themselves, is what a service of the controller sent or did.

Everything has a bound, and what is not heard of any more is forgotten.
"""

from collections import OrderedDict

from mininova.flow.payload import at as at_path
from mininova.flow.payload import plain
from mininova.flow.reports import BY_THE_SENDER, OTHERS, SERVICES, Told
from mininova.flow.world.common import ENDED, TAKEN, Row, put
from mininova.flow.world.instances import Instances
from mininova.flow.world.queues import Queues
from mininova.flow.world.services import Beat, Services, beat_in
from mininova.rpc.watch.flow import MessageEvent
from mininova.trust.identities import COMPUTE

#: Methods whose arguments count once a service of the controller has done what they ask for.
_TELLING = frozenset({"report_state", "destroy_instance"})
MAX_UUID_CHARACTERS = 36


class World:
    """Takes events, and gives rows: all of them, or those that changed since the last time.

    :param late_after: seconds of silence after which a service's state is unknown
    :param down_after: seconds of silence after which it counts as down
    """

    def __init__(self, *, late_after: float = 25.0, down_after: float = 60.0) -> None:
        self.last = 0.0  # when the last thing happened
        self._services = Services(late_after, down_after)
        self._queues = Queues()
        self._instances = Instances()
        self._asked: OrderedDict[str, Beat | str | None] = OrderedDict()  # by message in hand

    def take(self, told: Told, now: float = float("inf")) -> None:
        """Take events.

        :param told: by who is behind them
        :param now: in seconds since the epoch; a clock that is ahead is not believed
        """
        events = ((event, share) for share, events in told.items() for event in events)
        for event, share in sorted(events, key=lambda pair: pair[0].at):
            self._take(event, min(event.at, now), _is_believed(event, share))

    def _take(self, event: MessageEvent, at: float, believed: bool) -> None:
        self.last = max(self.last, at)
        self._services.take(event, at)
        if event.pattern == "heartbeat":
            self._services.tells(event, at, believed)
            return
        self._queues.take(event, at, believed)
        if not believed:
            return
        if event.kind in BY_THE_SENDER or event.kind == "http":
            self._said(event, at)
        elif event.kind in TAKEN and event.method in _TELLING:
            put(self._asked, event.message_id, _gist(event))
        elif event.kind in ENDED:
            asked = self._asked.pop(event.message_id, None)
            if event.kind == "replied" and not event.error:
                self._done(event, at, asked)

    def _said(self, event: MessageEvent, at: float) -> None:
        """A service of the controller has sent something."""
        if event.kind == "http":
            self._services.operated(event.payload.get("service"))
        elif event.pattern == "notification":
            self._instances.notified(event.method, event.payload, at)
        else:
            self._instances.all_in(event.payload, at)

    def _done(self, event: MessageEvent, at: float, asked: Beat | str | None) -> None:
        """A service of the controller has done what a message asked for."""
        if isinstance(asked, Beat):
            self._services.reports(asked, at, event.sender)
        elif event.method == "destroy_instance":
            self._instances.forget(asked)
        else:
            self._instances.all_in(event.payload.get("result"), at)

    def rows(self, now: float) -> Row:
        """Give the whole world as plain data."""
        self._queues.tidy(now)
        return {
            "at": now,
            "services": self._services.rows(now),
            "queues": self._queues.rows(),
            "instances": self._instances.rows(),
        }

    def changes(self, now: float) -> Row | None:
        """Give the rows that changed since this was asked last, and which instances are gone; None for no change."""
        self._queues.tidy(now)
        changed = {
            "services": self._services.changes(now),
            "queues": self._queues.changes(),
            "instances": self._instances.changes(),
            "gone": self._instances.gone_since(),
        }
        return changed if any(changed.values()) else None


def _gist(event: MessageEvent) -> Beat | str | None:
    """Give what counts of the arguments of a message."""
    args = plain(event.payload)
    if event.method == "report_state":
        return beat_in(at_path(args, "service"))
    uuid = at_path(args, "instance", "uuid")
    return uuid[:MAX_UUID_CHARACTERS] if isinstance(uuid, str) else None


def _is_believed(event: MessageEvent, share: str) -> bool:
    """Tell whether a service of the controller said this, maybe of the message of a compute (Reports._behind)."""
    speaker = event.sender if event.kind in BY_THE_SENDER else event.receiver
    return share == SERVICES or not (speaker.startswith(f"{COMPUTE}.") or speaker == OTHERS)
