"""How an operation ends in the database, other than well: with a fault, or with the instance gone.

An ending touches several tables in one transaction, which is the caller's, so that no room, no address and no open
action outlives what it was for.  The room is given back last, for all that begins and ends on the same host waits for
the transaction from then on.  The api and the conductor end operations; compute nodes ask the conductor to.
"""

from datetime import datetime

from sqlalchemy import Connection

from mininova import errors, states
from mininova.db import actions, block_devices, claims, faults, instances, networks, request_specs, server_migrations
from mininova.objects import Fault, Instance, Migration
from mininova.states import UNCOMPARED, Uncompared

# Another request has won: a delete, or one that was faster, or this message came a second time.
LOST = (errors.InstanceUpdateConflict, errors.InstanceNotFound)


def fail(
    tx: Connection,
    instance: Instance,
    operation: str,
    fault: Fault,
    *,
    host: str | Uncompared | None = UNCOMPARED,
) -> Instance:
    """End an operation badly: the state that the table gives a failure, a fault, and the room back that is not needed.

    An offloaded instance that could not be unshelved is on no host again.  One that stays on a host keeps its address:
    there may be something left of a guest that uses it.  One that could not be rebuilt names its old image again,
    unless its host had begun with the guest.

    :param host: where the row must say that the instance is
    :raises errors.InstanceUpdateConflict: when the operation has ended, or a delete came; nothing was written
    """
    offloaded = operation == "unshelve" and instance.vm_state == states.SHELVED_OFFLOADED
    migration = server_migrations.of_instance(tx, instance.uuid) if operation in states.MIGRATIONS else None
    moved = migration is not None and server_migrations.is_at_dest(migration, instance)
    nowhere: dict[str, object] = {"host": None, "node": None} if offloaded else {}
    failed = instances.update(
        tx,
        instance.uuid,
        states.fail(operation, moved=moved) | nowhere | request_specs.made_of(tx, instance),
        generation=instance.generation,
        expected_task_state=states.under_way(operation),
        host=host,
        seen=instance,
    )
    if operation == "build" and failed.host is None:
        networks.free(tx, instance.uuid)
    if operation in states.MIGRATIONS:
        server_migrations.settle(tx, failed, server_migrations.broken(migration))
        block_devices.follow(tx, instance.uuid, due_after=0)  # it may have moved since they last did
    faults.create(tx, instance.uuid, fault, instance.host)
    actions.finish(tx, instance.uuid, fault.message)
    if operation == "build" or offloaded:
        claims.free(tx, instance.uuid)
    return failed


def offload(tx: Connection, instance: Instance) -> Instance:
    """End an offload: the instance is on no host, and its room there is free; its address stays its own.

    :raises errors.InstanceUpdateConflict: when none is under way; nothing was written
    """
    gone: dict[str, object] = {"host": None, "node": None, "power_state": states.NOSTATE}
    offloaded = instances.update(
        tx,
        instance.uuid,
        states.finish("shelve_offload") | gone,
        generation=instance.generation,
        expected_task_state=states.under_way("shelve_offload"),
        host=instance.host,
        seen=instance,
    )
    actions.finish(tx, instance.uuid)
    claims.free(tx, instance.uuid)
    return offloaded


def destroy(
    tx: Connection,
    uuid: str,
    terminated_at: datetime | None = None,
    *,
    host: str | Uncompared = UNCOMPARED,
    migration: Migration | None = None,
) -> Instance | None:
    """End a delete: the row, its room and its address; give the instance as it is now, or None if it had ended before.

    :param terminated_at: when its guest ended; None means now
    :param host: that has destroyed its guest, on which it must be, and be in ``deleting``; UNCOMPARED compares neither:
        then the host that it is on, if any, did not do it, and its address waits for that host
    :param migration: the instance's open one, which ends as well
    :raises errors.InstanceNotFound: when it is elsewhere
    :raises errors.InstanceUpdateConflict: when no delete was asked for; nothing was written
    """
    gone = instances.destroy(tx, uuid, terminated_at, host=host)
    if gone is None:
        return None
    if migration is not None:
        server_migrations.settle(tx, gone)
    guest_on, users = gone.host if host is UNCOMPARED else None, gone.networks == networks.CHOSEN
    networks.take_back(tx, uuid, guest_on=guest_on, users=users)
    request_specs.forget(tx, uuid)
    actions.finish(tx, uuid)
    claims.free(tx, uuid)
    return gone
