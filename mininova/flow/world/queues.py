"""The queues of the world: how many messages were sent to each topic, and not taken yet."""

from collections import OrderedDict

from mininova.flow.world.common import ENDED, LOST_AFTER_S, MAX_MESSAGES, MAX_SERVICES, TAKEN, Row, put
from mininova.rpc.watch.flow import MessageEvent

OVERTAKEN_AFTER_S = 5.0  # a message is taken, if one that was sent so much later to the same queue is


class Queues:
    """How many messages were sent to each topic and not taken yet."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, tuple[str, str, float]] = OrderedDict()  # message → queue, sender, when
        self._taken: OrderedDict[str, None] = OrderedDict()  # whose sending may be told later than their receipt
        #: By queue and sender, when the message was sent that was taken last.
        self._reached: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._depth: dict[str, int] = {}
        self._touched = set[str]()

    def take(self, event: MessageEvent, at: float, believed: bool) -> None:
        message_id, queue = event.message_id, event.routing_key
        if event.kind == "sent" and event.pattern in ("call", "cast") and message_id not in self._taken:
            if queue in self._depth or (believed and len(self._depth) < MAX_SERVICES):
                self._keep(message_id, (queue, event.sender, at))
        elif event.kind in TAKEN or event.kind in ENDED:
            if (sent := self._waiting.get(message_id)) is None:
                put(self._taken, message_id, None)
            else:
                put(self._reached, sent[:2], sent[2])
                self._drop(message_id)

    def _keep(self, message_id: str, sent: tuple[str, str, float]) -> None:
        self._drop(message_id)
        self._waiting[message_id] = sent
        self._depth[sent[0]] = self._depth.get(sent[0], 0) + 1
        self._touched.add(sent[0])
        if len(self._waiting) > MAX_MESSAGES:
            self._drop(next(iter(self._waiting)))

    def _drop(self, message_id: str) -> None:
        if (sent := self._waiting.pop(message_id, None)) is not None:
            self._depth[sent[0]] -= 1
            self._touched.add(sent[0])

    def tidy(self, now: float) -> None:
        """Drop those whose receipt was not reported: a queue gives the messages of a sender in their order."""
        for message_id, (queue, sender, when) in list(self._waiting.items()):
            reached = self._reached.get((queue, sender), 0.0)
            if when < reached - OVERTAKEN_AFTER_S or when < now - LOST_AFTER_S:
                self._drop(message_id)

    def rows(self) -> list[Row]:
        return [{"name": name, "depth": depth} for name, depth in sorted(self._depth.items())]

    def changes(self) -> list[Row]:
        touched, self._touched = self._touched, set()
        return [{"name": name, "depth": self._depth[name]} for name in sorted(touched)]
