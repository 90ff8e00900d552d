"""The whole cloud on one thread, with a crash at any step of any process: a seed decides all of it.

    .venv/bin/python -m tests.chaos.simulation --seeds 1000 [--first 0]

Processes crash (crashes.py), messages are lost, doubled, late and out of order, the broker may lose all that it has,
and a client goes on asking.  Then all of it is mended, and what must hold a little later is in ``Run.wrong``.  Time is
the broker's: it passes, at once, when nothing else is left to do, and heartbeats and sweeps come when it says so.
Nothing is read but that clock and the seed's dice (tests/fixtures/determined.py), so a seed is played the same way
again, and ``--first SEED --seeds 1`` shows a failure once more.
"""

import argparse
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy import func, select

from mininova import states
from mininova.db import actions, audit, block_devices, claims, faults, instances, networks, server_migrations, services
from mininova.db.models import instance_actions, metadata
from mininova.db.models.base import UTCDateTime
from mininova.objects import Fault, Instance
from mininova.rpc.transports.memory_faults import Faults
from mininova.standins.cinder.db.things import ATTACHMENTS, VOLUMES
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import ACTIVE
from tests.chaos.crashes import API, DEAD_S, LONGEST_S, Crash, Crashes
from tests.chaos.stage import stage
from tests.fixtures.cloud import Cloud
from tests.fixtures.determined import EPOCH_S
from tests.fixtures.operations import open_operation

REQUESTS = 12
CHANCE = 0.01  # of a crash at each step
WAITS_S = 600  # for which a build does for a scheduler, [operations] schedule_within
DOWN_S = 200  # after which a host that is silent counts as down
LOOK_S, QUIET_S = 30.0, 1800.0  # between two looks when all is mended, and the time in which all must hold
ACTIONS = {
    "stop": {"os-stop": None},
    "start": {"os-start": None},
    "reboot": {"reboot": {"type": "SOFT"}},
    "hard reboot": {"reboot": {"type": "HARD"}},
    "pause": {"pause": None},
    "unpause": {"unpause": None},
    "suspend": {"suspend": None},
    "resume": {"resume": None},
    "rescue": {"rescue": {"adminPass": "new"}},
    "unrescue": {"unrescue": None},
    "change the password": {"changePassword": {"adminPass": "newer"}},
    "snapshot": {"createImage": {"name": "of one"}},
    "backup": {"createBackup": {"name": "of one", "backup_type": "daily", "rotation": 1}},
    "shelve": {"shelve": None},
    "shelve offload": {"shelveOffload": None},
    "unshelve": {"unshelve": None},
    "resize": {"resize": {"flavorRef": "2"}},
    "confirm resize": {"confirmResize": None},
    "revert resize": {"revertResize": None},
    "migrate": {"migrate": None},
    "live migrate": {"os-migrateLive": {"host": None, "block_migration": "auto"}},
    "evacuate": {"evacuate": {}},
}
FOR_ADMINISTRATORS = {"shelve offload", "migrate", "live migrate", "evacuate"}
# In the end none is shelved on a host.
HAVE_GUESTS = (states.ACTIVE, states.STOPPED, states.PAUSED, states.SUSPENDED, states.RESCUED, states.RESIZED)
# In a third of the seeds: host-2 makes no new guest, and both hosts fail at times to make one anew.
HOSTS_ARE_BROKEN = """
rules:
- {operation: spawn, hosts: host-2, failure: {message: the disk is full}}
- {operation: rebuild, failure: {probability: 0.3, message: the disk is full}}
- {operation: finish_migration, failure: {probability: 0.3, kind: halfway, message: the disk is full}}
- {operation: power_on, failure: {probability: 0.2, message: there is no power}}
"""


#: The columns with moments in them, by table, and how far they may look ahead: to when an operation is due.
MOMENTS = [
    columns
    for table in metadata.sorted_tables
    if (columns := [it for it in table.columns if isinstance(it.type, UTCDateTime)])
]
FUTURE_S = 700.0
WITH_VOLUMES = 3  # of four seeds, the one whose servers boot from volumes
#: The operations that may have made images.
MADE = select(
    instance_actions.c.instance_uuid,
    instance_actions.c.operation,
    instance_actions.c.message,
    instance_actions.c.arguments,
).where(instance_actions.c.arguments.is_not(None))


class Run:
    """One seed.

    :ivar crashes: what crashed
    :ivar outcomes: how many requests were answered with which status; None is no answer
    :ivar found: what is wrong in the end
    :ivar agreed_s: seconds from the mending to the first look at which nothing was wrong
    """

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self.cloud, self.dice = cloud, random.Random(seed)
        self.outcomes, self.found, self.agreed_s = Counter[int | None](), list[str](), 0.0
        self.volumes = self._make_volumes() if seed % 4 == WITH_VOLUMES else []
        self.other_image = self._make_image("other")
        self.actions = {**ACTIONS, **self._rebuilds()}
        self._faults = Faults(
            seed=seed, drop=0.03, duplicate=0.05, delay=0.1, reorder=0.1, partition=0.01, longest=LONGEST_S
        )

    def play(self) -> None:
        """Play the seed, and find what is wrong in the end."""
        self.crashes = Crashes(self.cloud, self.dice)
        with self.crashes.happening():
            self.crashes.chance = CHANCE
            self.cloud.broker.suffer(self._faults)
            for _ in range(REQUESTS):
                self._ask()
                for _ in range(self.dice.randrange(8)):
                    self._move(5.0)
                if self.dice.random() < 0.1:
                    self.cloud.lose_messages()
            self._mend()
        self.found += self.other_times()

    def _ask(self) -> None:
        """Boot a server, or do something to one that there is, as a client would."""
        there = _all(self.cloud)
        what = self.dice.choice(["boot", "boot", "delete", *self.actions]) if there else "boot"
        try:
            if what == "boot":
                wanted = self.cloud.wanted(**(self._disks() if self.volumes else {}))
                answer = self.cloud.request("POST", "/servers", {"server": wanted})
            else:
                instance = self.dice.choice(there)
                uuid = instance.uuid
                if what == "evacuate" and instance.host is not None:
                    self._take_for_dead(instance.host)
                method, path = ("DELETE", "") if what == "delete" else ("POST", "/action")
                user = "admin" if what in FOR_ADMINISTRATORS else "demo"
                answer = self.cloud.request(method, f"/servers/{uuid}{path}", self.actions.get(what), user=user)
            self.outcomes[int(answer.status_code)] += 1
        except Crash:
            self.outcomes[None] += 1
            self.crashes.revive(API)

    def _make_volumes(self) -> list[str]:
        """Make volumes that servers boot with, one server each at a time."""
        headers, wanted = {"X-Auth-Token": self.cloud.login()}, {"volume": {"size": 1}}
        answers = [self.cloud.app.post("/volume/v3/volumes", json=wanted, headers=headers) for _ in range(3)]
        return [answer.json["volume"]["id"] for answer in answers]

    def _make_image(self, name: str) -> str:
        headers, kind = {"X-Auth-Token": self.cloud.login()}, {"disk_format": "raw", "container_format": "bare"}
        made = self.cloud.app.post("/image/v2/images", json={"name": name, **kind}, headers=headers).json["id"]
        as_data = {**headers, "Content-Type": "application/octet-stream"}
        self.cloud.app.put(f"/image/v2/images/{made}/file", data=name.encode(), headers=as_data)
        return str(made)

    def _rebuilds(self) -> dict[str, Any]:
        """Give rebuilds from two images, which are written to the volumes of the servers that boot from volumes."""
        both = (self.cloud.image, self.other_image)
        return {f"rebuild from {it}": {"rebuild": {"imageRef": it}} for it in both}

    def _disks(self) -> dict[str, Any]:
        """Ask for a volume of the image to boot from, and perhaps for one that is there."""
        goes, more = self.dice.random() < 0.5, self.dice.choice([[], [self.dice.choice(self.volumes)]])
        made = {"source_type": "image", "uuid": self.cloud.image, "volume_size": 1, "boot_index": 0}
        disks = [made | {"delete_on_termination": goes}, *({"source_type": "volume", "uuid": uuid} for uuid in more)]
        asked = [{"destination_type": "volume", **disk} for disk in disks]
        return {"imageRef": "", "block_device_mapping_v2": asked}

    def _take_for_dead(self, host: str) -> None:
        """Have an operator say that a host is dead, who may be wrong, and take it back later."""
        self._force_down(host, True)
        self.cloud.broker.later(self.dice.uniform(0, DEAD_S), partial(self._force_down, host, False))

    def _force_down(self, host: str, down: bool) -> None:
        with self.crashes.acting(None), self.cloud.db.write() as tx:
            (service,) = services.search(tx, host=host)
            services.update(tx, service.uuid, forced_down=down)

    def _move(self, seconds: float) -> bool:
        broker = self.cloud.broker
        return broker.deliver_one() or broker.pass_time(broker.now + seconds)

    def _mend(self) -> None:
        """Have nothing go wrong any more, and look until all is as it must be, or the time for that is over."""
        self.crashes.chance, broker = 0.0, self.cloud.broker
        broker.suffer(Faults())
        broker.heal()
        self.crashes.revive_all()
        mended = broker.now
        self.cloud.sweeper.hurry()
        while True:
            until = broker.now + LOOK_S
            while broker.deliver_one() or broker.pass_time(until):
                pass
            self.found, self.agreed_s = list(self.wrong()), broker.now - mended
            if not self.found or self.agreed_s > QUIET_S:
                return

    # ---- what must hold

    def wrong(self) -> Iterator[str]:
        """Say what is not as it must be, once nothing goes wrong any more."""
        for instance in _all(self.cloud, deleted=True):
            guests = self._guests(instance.uuid)
            with self.cloud.db.read() as tx:
                claim = claims.of_instance(tx, instance.uuid)
                migration = server_migrations.of_instance(tx, instance.uuid)
                fault = faults.latest(tx, [instance.uuid]).get(instance.uuid)
            operation = open_operation(self.cloud.db, instance.uuid)
            it = f"{instance.uuid} ({instance.vm_state})"
            if operation is not None:
                yield f"{it}: its {operation.operation} is open"
            if instance.task_state is not None or instance.vm_state == states.BUILDING:
                yield f"{it}: it is still in {instance.task_state}"
            runs, failed = instance.vm_state in HAVE_GUESTS, instance.vm_state == states.ERROR
            ran = int(instance.launched_at is not None)  # and may have its guest, when it is in ERROR
            kept = [migration.source_compute] if migration is not None else []
            if (migration is not None) != (instance.vm_state == states.RESIZED):
                yield f"{it}: its migration is {migration}"
            if guests != (sorted([instance.host, *kept]) if runs else []) and not (failed and len(guests) <= ran):
                yield f"{it} on {instance.host}: its guests are on {guests}"
            if (claim is not None) != runs and not failed:
                yield f"{it}: its claim is {claim}"
            if claim is not None and claim.host != instance.host:
                yield f"{it} on {instance.host}: its claim is on {claim.host}"
            if failed and (fault is None or len(fault.message.split()) < 3):
                yield f"{it}: its fault is {fault}"
            elif fault and "select_destinations" in fault.message and self._is_young(instance, fault):
                yield f"{it}: its build did not wait for a scheduler: {fault.message}"
        yield from self._audited()
        yield from self._wrong_images()
        yield from self._wrong_disks()
        yield from self._wrong_volumes()
        yield from self._left()
        if denied := self.cloud.denied():
            yield f"honest messages were denied: {denied}"

    def _audited(self) -> Iterator[str]:
        """Say what an operator's audit would find in the database."""
        with self.cloud.db.read() as tx:
            for _, it in audit.find(tx):
                yield f"{it.instance} on {it.host} {it.says}"

    def _left(self) -> Iterator[str]:
        """Name what waits for a host to clear it, which has had the time, and is not to keep it for a resize."""
        with self.cloud.db.read() as tx:
            for host in self.cloud.computes:
                left = {*networks.departed(tx, host), *server_migrations.left_on(tx, host)}
                for uuid in sorted(left):
                    migration = server_migrations.of_instance(tx, uuid)
                    kept_on = migration.source_compute if migration else None
                    if host not in (instances.get(tx, uuid, deleted=True).host, kept_on):
                        yield f"{uuid}: {host} has not cleared it"

    def _wrong_images(self) -> Iterator[str]:
        """Name images that an operation has left which went wrong, and those that a server needs and has not."""
        with self.cloud.db.read() as tx:
            there = {image.id: image.status for image in images.search(tx)}
            made = {row.arguments.makes: row for row in tx.execute(MADE).all() if row.arguments.makes}
            for image_id, row in made.items():
                if row.message and image_id in there:
                    yield f"{row.instance_uuid}: image {image_id} is left of a {row.operation} that went wrong"
            for instance in _all(self.cloud):
                needs = actions.shelved_image(tx, instance.uuid)
                has_disk = instance.image_ref != ""
                if instance.vm_state in states.ON_AN_IMAGE and has_disk and there.get(needs) != ACTIVE:
                    yield f"{instance.uuid} ({instance.vm_state}): its image is {there.get(needs)}"

    def _wrong_disks(self) -> Iterator[str]:
        """Name guests that were made of one image while their instance is of another one."""
        of = {"cirros": self.cloud.image, "other": self.other_image}  # a shelved one is made of an image of its own
        for host, compute in self.cloud.computes.items():
            for guest in compute.driver.guests():
                with self.cloud.db.read() as tx:
                    instance = instances.get(tx, guest.uuid, deleted=True)
                has_disk = instance.image_ref != ""
                if has_disk and of.get(guest.image, instance.image_ref) != instance.image_ref:
                    yield f"{guest.uuid} ({instance.vm_state}) on {host}: it is made of {guest.image}"

    def _wrong_volumes(self) -> Iterator[str]:
        """Name volumes of which Nova and the volume service say different things, and those that nothing frees."""
        with self.cloud.db.read() as tx:
            rows = {it.attachment_id: it for it in block_devices.ROWS.all(tx.execute(block_devices.ROWS.select))}
            said = {it.id: it for it in ATTACHMENTS.search(tx)}
            there = {it.id: it.status for it in VOLUMES.search(tx)}
        for instance in _all(self.cloud):
            has = [row for row in rows.values() if row.instance_uuid == instance.uuid]
            if self.volumes and has == [] and instance.launched_at is not None:
                yield f"{instance.uuid} ({instance.vm_state}): it has lost its volumes"
            for row in has:
                host = said[row.attachment_id].host if row.attachment_id in said else None
                if row.status != block_devices.ATTACHED or row.due_at or row.attachment_id not in said:
                    yield f"{instance.uuid} ({instance.vm_state}): volume {row.volume_id} is {row.status} on {host}"
                elif instance.host != host:
                    yield f"{instance.uuid}: volume {row.volume_id} is on {host}, and it is on {instance.host}"
        alive = {instance.uuid for instance in _all(self.cloud)}
        for row in rows.values():
            if row.instance_uuid not in alive:
                yield f"{row.instance_uuid}: it is gone, and has volume {row.volume_id}"
        for id in sorted(said.keys() - rows.keys()):
            yield f"attachment {id} of volume {said[id].volume_id} is nobody's"
        held = {it.volume_id: "reserved" if it.host is None else "in-use" for it in said.values()}
        for id, status in there.items():
            if status != held.get(id, "available"):
                yield f"volume {id} is {status}"

    @staticmethod
    def _is_young(instance: Instance, fault: Fault) -> bool:
        asked_at, failed_at = instance.created_at, fault.created_at
        return asked_at is not None and failed_at is not None and (failed_at - asked_at).total_seconds() < WAITS_S

    def other_times(self) -> Iterator[str]:
        """Name what was recorded at a moment that is not of the broker's clock."""
        with self.cloud.db.read() as tx:
            for columns in MOMENTS:
                first_and_last = tx.execute(select(*map(func.min, columns), *map(func.max, columns))).one()
                for column, moment in zip([*columns, *columns], first_and_last, strict=True):
                    if moment is not None and not EPOCH_S <= moment.timestamp() <= time.time() + FUTURE_S:
                        yield f"{column}: {moment}"

    def _guests(self, uuid: str) -> list[str]:
        return [host for host, it in self.cloud.computes.items() if uuid in it.driver.list_instance_uuids()]


def _all(cloud: Cloud, deleted: bool = False) -> list[Instance]:
    with cloud.db.read() as tx:
        uuids = list(tx.exec_driver_sql("SELECT uuid FROM instances ORDER BY id").scalars())
        found = [instances.get(tx, uuid, deleted=True) for uuid in uuids]
    return [it for it in found if deleted or it.vm_state != states.DELETED]


def play(seed: int) -> Run:
    """Play a seed."""
    behaviour = f"seed: {seed}{HOSTS_ARE_BROKEN}" if seed % 3 == 0 else ""
    more = {"service_down_time": DOWN_S}
    with stage().cloud(seed, behaviour=behaviour, more=more, shelved_offload_time=0) as cloud:
        run = Run(cloud, seed)
        run.play()
    return run


def main() -> int:
    """Play many seeds, say which of them went wrong and how, and how many a minute there were."""
    parser = argparse.ArgumentParser(description="Play seeds of a cloud in which anything crashes at any step.")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--digests", action="store_true", help="print what stands for all steps of each seed")
    asked = parser.parse_args()
    logging.disable()  # of what went wrong on purpose
    play(asked.first)
    began, bad, crashed, outcomes, agreed_s = time.process_time(), 0, Counter[str](), Counter[Any](), list[float]()
    for seed in range(asked.first, asked.first + asked.seeds):
        run = play(seed)
        crashed.update(run.crashes.happened)
        outcomes.update(run.outcomes)
        agreed_s.append(run.agreed_s)
        bad += bool(run.found)
        for each in run.found:
            print(f"seed {seed}: {each}", flush=True)
        if asked.digests:
            print(f"seed {seed}: {run.crashes.trace.digest} after {run.crashes.trace.steps} steps", flush=True)
    a_minute = asked.seeds / (time.process_time() - began) * 60
    print(f"{asked.seeds} seeds, {bad} wrong, {a_minute:.0f} a minute of one core")
    print(f"all agreed {max(agreed_s):.0f} s after the mending at most, by the broker's clock")
    print(f"crashes: {dict(crashed)}; answers: {dict(outcomes)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
