"""What listens to the exchange mininova.flow: the collector that keeps it, and ``tail`` that prints it."""

import logging
import time
from collections.abc import Callable
from uuid import uuid4

from mininova.flow.reports import Reports, Told
from mininova.flow.store import Writer
from mininova.rpc.transports.base import TOPIC, Delivery, Subscription
from mininova.rpc.watch.flow import EXCHANGE, KEY

LOG = logging.getLogger(__name__)


def subscription(take: Callable[[Told], None], name: str, *, enforce: bool) -> Subscription:
    """Describe a queue for one reader of the flow exchange; it holds only what comes while the reader is connected.

    :param take: gets the events of one report
    :param name: the beginning of the queue's name, as an operator sees it on the broker
    :param enforce: ``[identities] enforce``
    """
    reports = Reports(enforce=enforce)

    def read(delivery: Delivery) -> None:
        if told := reports.read(delivery.message):
            take(told)
        # What reads as fast as the broker sends never waits, and a green thread that never waits lets no other run:
        # those that answer browsers, and the one that tells the broker that we are there.
        time.sleep(0)

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

    def take(self, told: Told) -> None:
        """Keep the events of one report."""
        try:
            self._writer.add(told)
        except OSError as error:
            LOG.error("could not keep a report of the flow: %s", error)
