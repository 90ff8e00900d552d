"""What becomes of a caller that asks about an instance which is not, or not any more, on one of its hosts.

Compute nodes race with deletes and reschedules, so an honest one asks for what has left it a moment ago.  It is told
that there is no such instance, or that the row has another generation, clears up and goes on.  One that asks for what
it never had, or for what is not done to an instance although it knows the generation, is denied: that is no race.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from mininova import errors, rpc
from mininova.admission import forbidden
from mininova.db import instances, request_specs
from mininova.db.session import Database
from mininova.identities import Identity


class OwnInstances:
    """Tell what is the caller's from what is not.

    :param identity_of: finds the identity of a broker user; None where nothing is checked, for all share one user
    """

    def __init__(self, db: Database, identity_of: Callable[[str | None], Identity | None] | None) -> None:
        self._db, self._identity_of = db, identity_of

    @property
    def checked(self) -> bool:
        """Tell whether callers are told apart at all."""
        return self._identity_of is not None

    def hosts(self) -> Collection[str] | None:
        """Name the hosts that the caller stands for; None where nothing is checked."""
        if self._identity_of is None:
            return None
        identity = self._identity_of(rpc.caller())
        return identity.hosts if identity is not None else ()

    @contextmanager
    def only(self, method: str, uuid: str, generation: int | None = None) -> Iterator[None]:
        """Run the block, which finds an instance only if it is the caller's, and in the state that the caller says.

        :param generation: of the instance as the caller knows it
        :raises rpc.Forbidden: when there is such an instance, and it never was the caller's; or when the caller knows
            the instance as it is, and asks for what is not done to it
        """
        try:
            yield
        except errors.InstanceNotFound:
            hosts = self.hosts()
            if hosts is not None and self._is_a_strangers(uuid, hosts):
                raise forbidden(rpc.caller(), method, uuid, "it is on none of its hosts") from None
            raise
        except errors.InstanceBeingDeleted:
            raise
        except errors.InstanceUpdateConflict as conflict:
            if self.checked and conflict.details.get("actual_generation") == generation:
                state = conflict.details.get("actual_task_state")
                raise forbidden(rpc.caller(), method, uuid, f"its task_state is {state}, as the caller knows") from None
            raise

    def _is_a_strangers(self, uuid: str, hosts: Collection[str]) -> bool:
        with self._db.read() as tx:
            found, recorded = instances.get_many(tx, [uuid]), request_specs.get(tx, uuid)
        had = {row.host for row in found} | set(recorded.spec.retry.hosts if recorded else ())
        return bool(found) and had.isdisjoint(hosts)
