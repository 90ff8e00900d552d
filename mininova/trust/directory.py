"""Which identities there are, as a service with a database knows them: read when asked for, remembered for a moment.

By it the conductor decides which computes it obeys and which lanes it reads, and the conductor and the api decide which
replies they believe.  An identity that an operator has removed is gone from here within ``LIFETIME``, and its
connections to the broker are gone at once.
"""

import time
from collections.abc import Callable, Sequence

from mininova import errors
from mininova.trust import identities
from mininova.trust.identities import COMPUTE, Identity

Search = Callable[[float | None], Sequence[Identity]]

LIFETIME = 5.0  # seconds


class Directory:
    """Find identities by the names that the broker vouches for, and by the hosts that they stand for.

    :param search: reads all identities of computes from the database.  It takes the seconds to wait for a database that
        is away (None: as long as the settings say) and raises errors.DatabaseNotReady after them
    :param clock: counts the seconds that what was read is remembered
    """

    def __init__(self, search: Search, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._search, self._clock = search, clock
        self._read_at = -LIFETIME
        self._known = _Known()

    def __call__(self, name: str | None) -> Identity | None:
        """Find one; None for one that is not known here.

        :raises errors.DatabaseNotReady: when the database stays away
        """
        return identities.of(name, self._hosts_of)

    def at_once(self, name: str | None) -> Identity | None:
        """Find one without waiting for a database that is away: then, what was known last counts."""
        return identities.of(name, lambda compute: self._hosts_of(compute, patience=0))

    def lane_of(self, key: str) -> str | None:
        """Name the user whose lane the replies to a key come by; None for a service of the controller."""
        topic, _, host = key.partition(".")
        if topic != COMPUTE:
            return None
        identity = self._find(lambda known: known.by_host.get(host), patience=0)
        return None if identity is None else identity.name

    def computes(self) -> list[str]:
        """Name the identities of all computes, as they are now.

        :raises errors.DatabaseNotReady: when the database stays away
        """
        self._read()
        return list(self._known.by_name)

    def _hosts_of(self, name: str, patience: float | None = None) -> Sequence[str]:
        identity = self._find(lambda known: known.by_name.get(name), patience)
        return () if identity is None else identity.hosts

    def _find(self, look: Callable[["_Known"], Identity | None], patience: float | None) -> Identity | None:
        """Look for one in what is known, and read all again if it is not there, or was read too long ago."""
        found = look(self._known)
        if found is not None and self._clock() - self._read_at < LIFETIME:
            return found
        try:
            self._read(patience)
        except errors.DatabaseNotReady:
            if patience is None:
                raise
        return look(self._known)

    def _read(self, patience: float | None = None) -> None:
        now = self._clock()
        self._known = _Known(self._search(patience))
        self._read_at = now


class _Known:
    """The identities of all computes, by their names and by their hosts."""

    def __init__(self, identities: Sequence[Identity] = ()) -> None:
        self.by_name = {identity.name: identity for identity in identities}
        self.by_host = {host: identity for identity in identities for host in identity.hosts}
