"""The steps of a migration, in the order in which the hosts take them: one table.

Each step is one host's: the source, where the instance comes from, or the dest, where it goes.  The row of the
migration (db/server_migrations.py) says which step is due, so it also says which host may speak of the instance now.
conductor/migrate.py sends a step to its host, and hears when it is done; what follows then is told here.

    resize, migrate    prep (dest)  →  migrate (source)  →  finish (dest)
    confirm_resize     confirm (source)
    revert_resize      revert (dest)  →  finish_revert (source)
    live_migrate       pre_live (dest)  →  live (source)  →  post_live (dest)
    evacuate           evacuate (dest)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mininova import states
from mininova.compute.rpcapi import ComputeAPI
from mininova.context import RequestContext
from mininova.db import claims, server_migrations
from mininova.db.session import Connection
from mininova.objects import ImageMeta, Instance, Migration

Cast = Callable[[ComputeAPI, RequestContext, Instance, Migration, ImageMeta], None]
Change = Callable[[Connection, Instance, Migration, int], dict[str, Any]]


# ---- what becomes true of the instance when a step is done


def _goes_on(tx: Connection, instance: Instance, migration: Migration, power_state: int) -> dict[str, Any]:
    return {"task_state": instance.task_state}


def _is_at_dest(tx: Connection, instance: Instance, migration: Migration, power_state: int) -> dict[str, Any]:
    """Have the instance be on the host where it goes, with its new flavor; its guest is not there yet."""
    return {
        **_at_dest(migration),
        "flavor": migration.new_flavor,
        "power_state": power_state,
        "task_state": states.RESIZE_MIGRATED,
    }


def _has_switched(tx: Connection, instance: Instance, migration: Migration, power_state: int) -> dict[str, Any]:
    """Have the instance be on the host where it runs on; that tells how its guest is there."""
    return {**_at_dest(migration), "task_state": instance.task_state}


def _at_dest(migration: Migration) -> dict[str, Any]:
    return {
        "host": migration.dest_compute,
        "node": migration.dest_node,
        "availability_zone": migration.dest_zone,
    }


def _is_resized(tx: Connection, instance: Instance, migration: Migration, power_state: int) -> dict[str, Any]:
    return {**states.finish("resize"), "power_state": power_state, "launched_at": datetime.now(UTC), "progress": 100}


def _is_confirmed(tx: Connection, instance: Instance, migration: Migration, power_state: int) -> dict[str, Any]:
    """Have the instance rest as its guest does, which its owner may have found stopped."""
    server_migrations.settle(tx, instance, "confirmed")
    return states.finish("confirm_resize", _resting(instance.power_state))


def _is_at_source(tx: Connection, instance: Instance, migration: Migration, power_state: int) -> dict[str, Any]:
    """Have the instance be where it came from, with its old flavor and the room that was kept."""
    claims.free(tx, instance.uuid)
    claims.hand_over(tx, migration.uuid, instance.uuid)
    return {
        "host": migration.source_compute,
        "node": migration.source_node,
        "availability_zone": migration.source_zone,
        "flavor": migration.old_flavor,
        "task_state": states.RESIZE_REVERTING,
    }


def _is_reverted(tx: Connection, instance: Instance, migration: Migration, power_state: int) -> dict[str, Any]:
    server_migrations.settle(tx, instance, "reverted")
    end = states.finish("revert_resize", migration.old_vm_state)
    return {**end, "power_state": power_state, "launched_at": datetime.now(UTC)}


def _runs_on(tx: Connection, instance: Instance, migration: Migration, power_state: int) -> dict[str, Any]:
    """Have the instance rest as it did, and no room be kept where it came from."""
    server_migrations.settle(tx, instance, "completed")
    return {**states.finish("live_migrate"), "power_state": power_state}


def _is_evacuated(tx: Connection, instance: Instance, migration: Migration, power_state: int) -> dict[str, Any]:
    """Have the instance be on the host that made its guest anew, and no room be kept on the one that failed."""
    there = _at_dest(migration)
    server_migrations.settle(tx, instance.replace(**there), server_migrations.DONE)
    end = states.finish("evacuate", migration.old_vm_state)
    return {**there, **end, "power_state": power_state, "launched_at": datetime.now(UTC), "progress": 100}


def _resting(power_state: int) -> str:
    return states.STOPPED if power_state == states.SHUTDOWN else states.ACTIVE


# ---- the table


@dataclass(frozen=True)
class Step:
    """What one host does.

    :param on_source: whether it is a step of the host that the instance comes from; else of the other
    :param task_state: in which the instance is meanwhile
    :param status: of the migration meanwhile
    :param event: its name among the events of the action
    :param cast: how the host is asked for it
    :param done: changes the claims when it is done, and gives the changes of the instance
    :param then: the step that follows; None ends the operation
    :param elsewhere: whether another host is chosen when this one could not do it
    :param makes_guest: whether a guest begins to run on its host, with the instance's volumes
    :param clears: whether what there is of the guest on the other host goes when it is done
    """

    on_source: bool
    task_state: str
    status: str
    event: str
    cast: Cast
    done: Change
    then: str | None = None
    elsewhere: bool = False
    makes_guest: bool = False
    clears: bool = False

    def host(self, migration: Migration) -> str:
        """Name the host whose step it is."""
        return migration.source_compute if self.on_source else migration.dest_compute or ""


# fmt: off
STEPS: Mapping[str, Step] = {
    "prep": Step(
        False, states.RESIZE_PREP, "pre-migrating", "compute_prep_resize",
        lambda compute, ctxt, it, migration, _: compute.prep_resize(ctxt, it, migration),
        _goes_on, then="migrate", elsewhere=True),
    "migrate": Step(
        True, states.RESIZE_MIGRATING, "migrating", "compute_resize_instance",
        lambda compute, ctxt, it, migration, _: compute.resize_instance(ctxt, it, migration),
        _is_at_dest, then="finish"),
    "finish": Step(
        False, states.RESIZE_FINISH, "post-migrating", "compute_finish_resize",
        lambda compute, ctxt, it, migration, image: compute.finish_resize(ctxt, it, migration, image),
        _is_resized, makes_guest=True),
    "confirm": Step(
        True, states.RESIZE_CONFIRMING, "confirming", "compute_confirm_resize",
        lambda compute, ctxt, it, migration, _: compute.confirm_resize(ctxt, it, migration),
        _is_confirmed),
    "revert": Step(
        False, states.RESIZE_REVERTING, "reverting", "compute_revert_resize",
        lambda compute, ctxt, it, migration, _: compute.revert_resize(ctxt, it, migration),
        _is_at_source, then="finish_revert"),
    "finish_revert": Step(
        True, states.RESIZE_REVERTING, "reverting", "compute_finish_revert_resize",
        lambda compute, ctxt, it, migration, _: compute.finish_revert_resize(ctxt, it, migration),
        _is_reverted, makes_guest=True),
    "pre_live": Step(
        False, states.MIGRATING, "preparing", "compute_pre_live_migration",
        lambda compute, ctxt, it, migration, _: compute.pre_live_migration(ctxt, it, migration),
        _goes_on, then="live", elsewhere=True),
    "live": Step(
        True, states.MIGRATING, "running", "compute_live_migration",
        lambda compute, ctxt, it, migration, _: compute.live_migration(ctxt, it, migration),
        _has_switched, then="post_live"),
    "post_live": Step(
        False, states.MIGRATING, "post-migrating", "compute_post_live_migration_at_destination",
        lambda compute, ctxt, it, migration, image:
            compute.post_live_migration_at_destination(ctxt, it, migration, image),
        _runs_on, makes_guest=True, clears=True),
    "evacuate": Step(
        False, states.REBUILD_SPAWNING, "pre-migrating", "compute_rebuild_instance",
        lambda compute, ctxt, it, migration, image: compute.evacuate_instance(ctxt, it, migration, image),
        _is_evacuated, makes_guest=True, clears=True),
}
# The step with which each operation of states.MIGRATIONS begins.
FIRST: Mapping[str, str] = {
    "resize": "prep", "migrate": "prep", "confirm_resize": "confirm", "revert_resize": "revert",
    "live_migrate": "pre_live", "evacuate": "evacuate",
}
# The first steps before which a host is chosen.
CHOSEN_FOR = frozenset({"prep", "pre_live", "evacuate"})
# fmt: on


def host_of(migration: Migration) -> str | None:
    """Name the host that has something to do now; None when none has."""
    step = STEPS.get(migration.step or "")
    return step.host(migration) if step is not None else None
