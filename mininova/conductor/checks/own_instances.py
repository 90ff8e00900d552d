"""Refuses a compute node what it asks of instances that are not its own.

Compute nodes race with deletes and reschedules, so an honest one may ask about an instance that has just left it.  It
gets InstanceNotFound or InstanceUpdateConflict, clears up and goes on.  A node is denied (rpc.Forbidden) in two cases
that are no race: the instance never was on one of its hosts; or the node knows the generation, and asks for an
operation that is not under way.

A caller that tries uuids learns nothing: another's instance and one that does not exist are refused in the same words.
Kubernetes' Node authorizer does so, too.  A note on the error (PEP 678), which does not travel, says to the operator
which of the two it was.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from mininova import errors, rpc
from mininova.db import actions, instances
from mininova.db.session import Database
from mininova.rpc.trust.denials import forbidden
from mininova.trust.identities import Identity


class OwnInstances:
    """Know which instances are the caller's own.

    :param identity_of: finds the identity of a broker user; None where all share one user and nothing is checked
    """

    def __init__(self, db: Database, identity_of: Callable[[str | None], Identity | None] | None) -> None:
        self._db, self._identity_of = db, identity_of

    @property
    def checked(self) -> bool:
        """Tell whether callers have identities of their own."""
        return self._identity_of is not None

    def hosts(self) -> Collection[str] | None:
        """Name the hosts that the caller stands for; None where nothing is checked."""
        if self._identity_of is None:
            return None
        identity = self._identity_of(rpc.caller())
        return identity.hosts if identity is not None else ()

    @contextmanager
    def only(self, method: str, uuid: str, generation: int | None = None) -> Iterator[None]:
        """Run a block that looks for an instance on the caller's hosts, and deny what is no race.

        :param generation: of the instance as the caller knows it
        :raises rpc.Forbidden: when it never was the caller's, whether there is such an instance or not; or when the
            caller knows the instance as it is, and asks for what is not done to it
        """
        try:
            yield
        except errors.InstanceNotFound:
            hosts = self.hosts()
            if hosts is not None and (where := self._elsewhere(uuid, hosts)):
                refusal = forbidden(rpc.caller(), method, uuid, "it never was on one of its hosts")
                refusal.add_note(where)
                raise refusal from None
            raise
        except errors.InstanceBeingDeleted:
            raise
        except errors.InstanceUpdateConflict as conflict:
            if self.checked and conflict.details.get("actual_generation") == generation:
                state = conflict.details.get("actual_task_state")
                raise forbidden(rpc.caller(), method, uuid, f"its task_state is {state}, as the caller knows") from None
            raise

    def _elsewhere(self, uuid: str, hosts: Collection[str]) -> str:
        """Say where an instance is that never was on one of these hosts; "" for one that is there or was."""
        with self._db.read() as tx:
            had = actions.hosts(tx, uuid)
            try:
                instance = instances.get(tx, uuid, deleted=True)
            except errors.InstanceNotFound:
                return "there is no such instance"
        return "" if instance.host in hosts or not had.isdisjoint(hosts) else f"it is on {instance.host or 'no host'}"
