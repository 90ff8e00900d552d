"""A picture that reads only what has changed is the same as one that reads everything."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest

from mininova.db import aggregates, claims, generations, hosts, services
from mininova.scheduler.picture import Picture
from tests.fixtures.statements import counted
from tests.unit.scheduler.conftest import NOW, a_node, a_service

ALIVE_SINCE = NOW - timedelta(seconds=60)


def seen(picture, db, alive_since=ALIVE_SINCE):
    """Look at a picture; give what it says of each host, apart from the moments of heartbeats."""
    with db.read() as tx:
        hosts = picture.look(tx, alive_since)
    return {
        each.host: (
            each.node, each.service.replace(last_seen_up=None, report_count=0), each.is_up, each.aggregate_metadata
        )
        for each in hosts
    }  # fmt: skip


class Walk:
    """Everything that changes what a scheduler looks at, in any order."""

    def __init__(self, tx, dice, flavor, now):
        self.tx, self.dice, self.flavor, self.now = tx, dice, flavor, now
        self.host = f"host-{dice.randrange(6)}"

    def step(self):
        getattr(self, self.dice.choice([name for name in dir(Walk) if name.startswith("to_")]))()

    def service(self):
        return services.compute_on(self.tx, self.host)

    def to_report(self):
        zone = self.dice.choice(["nova", "east"])
        services.report(self.tx, a_service(self.host, availability_zone=zone), self.now)
        hosts.report(self.tx, a_node(self.host, running_vms=self.dice.randrange(3)))

    def to_register_without_a_node(self):
        services.report(self.tx, a_service(self.host), self.now)

    def to_claim(self):
        claims.claim(self.tx, str(uuid4()), self.host, self.flavor)

    def to_put(self):
        claims.put(self.tx, str(uuid4()), self.host, self.flavor)

    def to_count(self):
        hosts.count_claims(self.tx, self.host)

    def to_free(self):
        for uuid in [row[0] for row in self.tx.exec_driver_sql("SELECT instance_uuid FROM allocations")][:1]:
            claims.free(self.tx, uuid)

    def to_say(self):
        if service := self.service():
            said = self.dice.choice(
                [{"disabled": True}, {"disabled": False}, {"forced_down": self.dice.random() < 0.5}]
            )
            services.update(self.tx, service.uuid, **said)

    def to_forget_the_service(self):
        if service := self.service():
            services.delete(self.tx, service.uuid)

    def to_forget_the_node(self):
        hosts.delete(self.tx, self.host)

    def to_move(self):
        if self.service() is None:
            return
        zone = f"zone-{self.host}"
        of_its_own = [each for each in aggregates.search(self.tx) if each.name == zone]
        aggregate = of_its_own[0] if of_its_own else aggregates.create(self.tx, zone, zone)
        move = aggregates.remove_host if self.host in aggregate.hosts else aggregates.add_host
        move(self.tx, aggregate, self.host)

    def to_describe(self):
        for aggregate in aggregates.search(self.tx)[:1]:
            said = {"rack": f"{self.dice.randrange(3)}, {self.dice.randrange(3)}"}
            aggregates.describe(self.tx, aggregate, said | {"cpu_allocation_ratio": self.dice.choice([None, "2", "4"])})


@pytest.mark.parametrize("seed", range(2))
def test_it_keeps_up(db, a_spec, seed):
    """After any steps, the picture is what one that begins now would be, also when a clock was behind."""
    dice, picture = random.Random(seed), Picture()
    for step in range(150):
        now = NOW + timedelta(seconds=5 * step)
        with db.write() as tx:
            for _ in range(dice.choice([1, 1, 3])):
                Walk(tx, dice, a_spec().flavor, now).step()
        if dice.random() < 0.7:
            alive_since = now - timedelta(seconds=60)
            assert seen(picture, db, alive_since) == seen(Picture(), db, alive_since)


def test_a_clock_that_is_behind(db, known, monkeypatch):
    """A change with an older moment than the newest is found as well."""
    known("host-1")
    known("host-2")
    picture = Picture()
    seen(picture, db)
    monkeypatch.setattr(generations, "now", lambda: {"now_ms": 1})
    known("host-1", vcpus=5)
    assert seen(picture, db)["host-1"][0].vcpus == 5


def test_only_what_has_changed_is_read(db, known):
    """One query reads the host that has changed, and another the heartbeats of hosts that would be down without."""
    for number in range(5):
        known(f"host-{number}", silence=number)
    picture = Picture()
    seen(picture, db)
    known("host-3", vcpus=5, silence=0)
    with counted(db) as statements:
        assert seen(picture, db)["host-3"][0].vcpus == 5
    assert len(statements) == 1
    with counted(db) as statements:
        found = seen(picture, db, NOW - timedelta(seconds=3))
    assert len(statements) == 2
    assert [host for host, (_, _, is_up, _) in found.items() if not is_up] == ["host-4"]
