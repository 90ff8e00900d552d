"""Schedulers that work at once give all the room away, and none of it twice."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from mininova import errors
from mininova.db import hosts
from mininova.db.models import allocations


def all_placed(scheduler, ctxt, spec, requests):
    """Place requests one after the other, as long as there is room; give how many instances were placed."""
    placed = 0
    for asked in requests:
        try:
            placed += len(scheduler.select_destinations(ctxt, spec.replace(num_instances=len(asked)), asked))
        except errors.NoValidHost:
            continue
    return placed


@pytest.mark.parametrize("seed", range(2))
def test_no_room_is_given_away_twice(scheduler, twin, db, known, a_spec, ctxt, uuids, seed):
    """Two schedulers fill a cloud with instances, single or several at once; each host is full, none is too full."""
    dice = random.Random(seed)
    rooms = {f"host-{number}": dice.randrange(1, 4) for number in range(4)}
    for host, room in rooms.items():
        known(host, memory_mb=1024 * room + 512)
    requests = [uuids(dice.choice([1, 1, 2])) for _ in range(12)] + [uuids(1) for _ in range(6)]
    with ThreadPoolExecutor(4) as threads:
        shares = [
            (scheduler, requests[0::4]),
            (twin, requests[1::4]),
            (scheduler, requests[2::4]),
            (twin, requests[3::4]),
        ]
        counts = list(threads.map(lambda share: all_placed(share[0], ctxt, a_spec(), share[1]), shares))
    with db.read() as tx:
        used = {node.host: node.memory_mb_used for node, _ in hosts.states(tx)}
        claimed = [row.host for row in tx.execute(allocations.select())]
    assert used == {host: 1024 * room for host, room in rooms.items()}
    assert {host: claimed.count(host) for host in rooms} == rooms
    assert sum(counts) == sum(rooms.values())
