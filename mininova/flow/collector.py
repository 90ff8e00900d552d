"""What listens to the exchange mininova.flow: the collector that keeps it, and ``tail`` that prints it."""

import logging
from collections.abc import Callable, Iterable
from uuid import uuid4

import msgspec

from mininova.flow.store import Writer
from mininova.rpc.transports.base import TOPIC, Delivery, Subscription
from mininova.rpc.watch.flow import EXCHANGE, KEY, MessageEvent

LOG = logging.getLogger(__name__)

_decode = msgspec.json.Decoder(list[MessageEvent]).decode


def subscription(take: Callable[[list[MessageEvent]], None], name: str) -> Subscription:
    """Describe a queue for one reader of the flow exchange; it holds only what comes while the reader is connected.

    :param take: gets the events of one report
    :param name: the beginning of the queue's name, as an operator sees it on the broker
    """

    def read(delivery: Delivery) -> None:
        try:
            events = _decode(delivery.message.body)
        except msgspec.DecodeError as error:
            LOG.warning("dropped a report that is none: %s", error)
        else:
            take(events)

    return Subscription(
        queue=f"{name}_{uuid4().hex}",
        exchange=EXCHANGE,
        kind=TOPIC,
        routing_key=KEY,
        on_delivery=read,
        durable=False,
        no_ack=True,
    )


class Collector:
    """Write reports to disk; when the disk is full, reports are lost and nothing else."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def take(self, events: Iterable[MessageEvent]) -> None:
        """Keep the events of one report."""
        try:
            self._writer.add(events)
        except OSError as error:
            LOG.error("could not keep a report of the flow: %s", error)
