"""Has the broker take a password that a compute made up for itself (docs/adr/0019).

The compute sends the salted hash that RabbitMQ keeps of a password, and never the password.  The record is the truth:
the hash is written to the identity's row first, and the broker is then made to agree with the row.  An operator's
``mininova-manage host rotate`` does it in the same order, so whatever ends last, the broker has what the row says.

A request names the password that it is to replace, by the hash that the broker keeps.  A compute that an operator shut
out does not know the hash of its new password, so what it had sent before changes nothing; and a password that is new
is not replaced.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from mininova import errors
from mininova.db import identities
from mininova.db.session import Connection, Database
from mininova.rpc.trust.denials import forbidden
from mininova.trust.broker import definitions
from mininova.trust.broker.definitions import Definitions

LOG = logging.getLogger(__name__)

METHOD = "renew_password"
AT_ONCE = 3  # times that the broker is made to agree with a row that changes meanwhile
DONE_FOR_S = 60.0  # seconds in which the same request again is answered without asking the broker


class BrokerUsers(Protocol):
    """What changes the users of the broker: manage.broker_admin.BrokerAdmin."""

    def define(self, wanted: Definitions) -> None:
        """Make users, or change those that are there."""

    def disconnect(self, user: str, why: str) -> None:
        """Close every connection of a user."""


class Credentials:
    """Renew passwords of computes.

    :param broker: changes its users
    :param lifetime: seconds after which a compute renews its password; it may after half of them
    """

    def __init__(
        self,
        db: Database,
        broker: BrokerUsers,
        *,
        lifetime: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._db, self._broker, self._clock = db, broker, clock
        self._least = timedelta(seconds=lifetime / 2)
        self._turn = threading.Lock()  # a run of the broker's command costs a second of CPU
        self._done: dict[str, tuple[str, float]] = {}  # name → the hash that the broker took, and when

    def renew(self, name: str, hashed: str, instead_of: str) -> str:
        """Give a compute another password, if it knows which one it has; tell the hash of the one that it has now.

        The connections that were made with the old one end, those of the compute among them.

        :param name: of the caller
        :param instead_of: the hash of the password that is to be replaced; "" where none is recorded
        :raises errors.TooManyRequests: when it has not had its password for long
        :raises errors.Conflict: when the broker could not be told; the same request again does it
        """
        with self._db.write() as tx:
            now_has = self._change(tx, name, hashed, instead_of)
        if now_has == hashed:
            try:
                self._have_broker_agree(name)
            except errors.BrokerAdminFailed as error:  # what the command says is not for a compute
                LOG.error("conductor could not have the broker take the password of %s: %s", name, error)
                raise errors.Conflict("The broker could not be told now; the conductor's log says why.") from None
        return now_has

    def _change(self, tx: Connection, name: str, hashed: str, instead_of: str) -> str:
        """Write the hash to the row; a request that comes again finds it there."""
        known = identities.password(tx, name, to_change=True)
        if known is None:
            raise forbidden(name, METHOD, name, "its identity is not known any more")
        now_has = known.hashed
        if now_has != instead_of or now_has == hashed:
            return now_has
        left = known.since + self._least - self._clock()
        if now_has and left > timedelta(0):
            raise errors.TooManyRequests(retry_after=round(left.total_seconds()))
        identities.change_password(tx, name, hashed, self._clock())
        LOG.info("conductor gives %s the password that it made up", name)
        return hashed

    def _have_broker_agree(self, name: str) -> None:
        """Have the broker keep what is recorded; if that changes meanwhile, once more."""
        with self._turn:
            for _ in range(AT_ONCE):
                wanted = self._recorded(name)
                if not wanted or self._is_done(name, wanted):
                    return
                self._tell_broker(name, wanted)
                if self._recorded(name) == wanted:
                    self._done[name] = wanted, time.monotonic()
                    return

    def _tell_broker(self, name: str, wanted: str) -> None:
        try:
            self._broker.define(definitions.compute_user(name, wanted))
        except errors.DefinitionsNotKept as error:
            LOG.error("conductor: %s has its new password until the broker starts again: %s", name, error)
        self._broker.disconnect(name, "its password was renewed")

    def _recorded(self, name: str) -> str:
        with self._db.read() as tx:
            known = identities.password(tx, name)
        return "" if known is None else known.hashed

    def _is_done(self, name: str, wanted: str) -> bool:
        done, at = self._done.get(name, ("", 0.0))
        return done == wanted and time.monotonic() - at < DONE_FOR_S
