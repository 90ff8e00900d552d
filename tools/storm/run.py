"""One storm from its start to its report."""

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from stack.brokers import RABBITMQ

from mininova.service import concurrency
from storm import checks, report
from storm.checks import Disagreement, Seen
from storm.clients import Client, Request, Turns
from storm.cloud import Cloud
from storm.database import SQLITE, Database
from storm.killer import Killer, targets
from storm.plan import CLIENTS, faults
from storm.report import Report

DEADLINE_S = 120.0  # seconds after the mending in which everything must end and agree
LOOK_EVERY_S = 0.5


def run(
    root: Path,
    seed: int,
    operations: int,
    kills: int,
    computes: int,
    database: str = SQLITE,
    threads: str = concurrency.EVENTLET,
    broker: str = RABBITMQ,
) -> Report:
    """Run a storm on a stack of its own, and stop the stack.

    :param root: its home, a folder that is empty or new
    :param kills: how often something breaks
    :param database: its kind, or the URL of an empty one
    :param threads: what the threads of its services are made of
    :param broker: which one it runs
    """
    with closing(Database(root.parent, database)) as tables:
        cloud = Cloud(root, computes, tables, threads, broker)
        try:
            cloud.start()
            return _storm(cloud, seed, operations, kills)
        finally:
            cloud.stop()


def _storm(cloud: Cloud, seed: int, operations: int, kills: int) -> Report:
    began, turns, over = time.monotonic(), Turns(operations), threading.Event()
    clients = [Client(cloud, seed, number, turns, over) for number in range(1, CLIENTS + 1)]
    killer = Killer(cloud, faults(seed, operations, kills, targets(cloud), cloud.network.links), turns)
    for client in clients:
        client.log_in()
    threads = [threading.Thread(target=work, daemon=True) for work in (*(client.run for client in clients), killer.run)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given_up = killer.mend()
    requests = [request for client in clients for request in client.requests]
    mended = time.monotonic()
    quiet_s, agreed_s, seen, wrong = _wait_until_all_agree(cloud, requests)
    return Report(
        seed=seed,
        requests=requests,
        faults=killer.done,
        ends=seen.ends,
        endings=killer.endings(),
        given_up=given_up,
        drained=killer.drained,
        seconds=mended - began,
        quiet_s=quiet_s,
        agreed_s=agreed_s,
        disagreements=wrong,
        tracebacks=report.tracebacks(cloud.logs()),
    )


def _wait_until_all_agree(
    cloud: Cloud, requests: Sequence[Request]
) -> tuple[float | None, float | None, Seen, Sequence[Disagreement]]:
    """Look again and again, as an operator would: nothing tells a reader of the database that it has changed."""
    mended, quiet_s, pause = time.monotonic(), None, threading.Event()
    while True:
        seen = checks.look(cloud)
        now_s = time.monotonic() - mended
        if quiet_s is None and not seen.open:
            quiet_s = now_s
        wrong = checks.disagreements(seen, requests)
        if not wrong:
            return quiet_s, now_s, seen, []
        if now_s > DEADLINE_S:
            return quiet_s, None, seen, wrong
        pause.wait(LOOK_EVERY_S)
