"""Which identities there are, as a service with a database knows them: read when asked for, remembered for a moment.

The conductor decides by it whom it obeys, the conductor and the api whose replies they believe.  An identity that an
operator has removed is gone from here within ``LIFETIME``, and its connections to the broker are gone at once.
"""

import time
from collections.abc import Callable, Sequence

from mininova import errors, identities
from mininova.db import identities as table
from mininova.db.session import Database
from mininova.identities import Identity

LIFETIME = 5.0  # seconds


class Directory:
    """Find identities by the names that the broker vouches for.

    :param clock: counts the seconds that an answer is remembered
    """

    def __init__(self, db: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._db, self._clock = db, clock
        self._known: dict[str, tuple[float, Sequence[str]]] = {}

    def __call__(self, name: str | None) -> Identity | None:
        """Find one; None for one that is nobody here.

        :raises errors.DatabaseNotReady: when the database stays away
        """
        return identities.of(name, self._hosts_of)

    def at_once(self, name: str | None) -> Identity | None:
        """Find one without waiting for a database that is away: then, what was known last counts."""
        try:
            return identities.of(name, lambda compute: self._hosts_of(compute, patience=0))
        except errors.DatabaseNotReady:
            return identities.of(name, lambda compute: self._known.get(compute, (0, ()))[1])

    def _hosts_of(self, name: str, patience: float | None = None) -> Sequence[str]:
        read_at, hosts = self._known.get(name, (-LIFETIME, ()))
        now = self._clock()
        if now - read_at < LIFETIME:
            return hosts
        with self._db.read(patience=patience) as tx:
            identity = table.get(tx, name)
        if identity is None:
            self._known.pop(name, None)
            return ()
        self._known[name] = now, identity.hosts
        return identity.hosts
