"""What listens to the exchange mininova.flow: the collector that keeps it, and ``tail`` that prints it."""

import logging
import os
import threading
import time
from collections.abc import Callable
from uuid import uuid4

from mininova.flow.reports import Reports, Told
from mininova.flow.store import Writer
from mininova.rpc.transports.base import TOPIC, Delivery, Subscription
from mininova.rpc.watch.flow import EXCHANGE, KEY, MessageEvent

LOG = logging.getLogger(__name__)

GATHER_S = 0.1  # after a report, before it and those that followed are written
MAX_REPORTS = 16  # that wait to be written: then it is done at once
BEHIND_OTHERS = 10  # how much nicer than a service: on a busy machine a tenth of what a service gets


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


def let_others_go_first() -> None:
    """Have this process use what the services leave of the machine; meanwhile its reports wait in its queue."""
    os.nice(BEHIND_OTHERS)


class Collector:
    """Write reports to disk, those of a moment together; when the disk is full, they are lost and nothing else."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._wake = threading.Condition()  # around what waits
        self._waiting, self._reports = dict[str, list[MessageEvent]](), 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="flow-collector", daemon=True)

    def start(self) -> None:
        """Begin to write in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping:
            with self._wake:
                self._wake.wait_for(lambda: self._reports or self._stopping)
                self._wake.wait_for(lambda: self._stopping, GATHER_S)
            self.write()

    def take(self, told: Told) -> None:
        """Keep the events of one report until they are written."""
        with self._wake:
            for sender, events in told.items():
                self._waiting.setdefault(sender, []).extend(events)
            self._reports += 1
            if self._reports == 1:
                self._wake.notify()
            full = self._reports >= MAX_REPORTS
        if full:
            self.write()

    def write(self) -> None:
        """Write what was taken: a file is opened once for all that a moment brought of its request."""
        with self._wake:
            told, self._waiting, self._reports = self._waiting, {}, 0
            if not told:
                return
            try:
                self._writer.add(told)
            except OSError as error:
                LOG.error("could not keep reports of the flow: %s", error)
