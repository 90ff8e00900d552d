"""Where one-process clouds are played one after the other, each as if it were the first: what all need is made once.

A seed decides all that happens there, and the only clock is the broker's (tests/fixtures/determined.py).
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mininova.rpc.watch.base import Watch
from tests.fixtures.cloud import Cloud
from tests.fixtures.compiled import Compiled
from tests.fixtures.determined import determined

YEARS_S = 1e9  # ahead of the beginning of each cloud, and of now


class Stage:
    """One place for clouds.

    The database is a file that is copied anew for each, and what SQLAlchemy has compiled stays; so do the tokens, since
    each copy knows the same users.
    """

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # a disk of which nothing need outlive the process
        self._folder = tempfile.TemporaryDirectory(prefix="mininova-", dir=memory if memory.is_dir() else None)
        self._path = Path(self._folder.name) / "cloud"
        self._databases = Compiled(f"sqlite:///{self._path}/mininova.sqlite")
        self._tokens: dict[str, str] = {}

    @contextmanager
    def cloud(self, seed: int, **how: Any) -> Iterator[Cloud]:
        """Have a cloud, and in the block no time, random number or id but those of the seed.

        :param how: arguments of a Cloud
        """
        self._path.mkdir()
        cloud: Cloud | None = None

        def now() -> float:
            return cloud.broker.now if cloud is not None else 0.0

        with determined(seed, now):
            try:
                cloud = Cloud(self._path, db=self._databases.database(), watch=Watch(), **how)
                self._tokens = cloud.tokens = self._tokens or _tokens(cloud)
                yield cloud
            finally:
                if cloud is not None:
                    cloud.db.close()
                shutil.rmtree(self._path)


def _tokens(cloud: Cloud) -> dict[str, str]:
    """Log in years ahead, so that the tokens hold for as long as any cloud is played."""
    with determined("tokens", lambda: YEARS_S):
        return {user: cloud.login(user, user) for user in ("demo", "admin")}


@cache
def stage() -> Stage:
    """Give the stage of this process; one cloud was there already, for what is imported and kept at its first use."""
    made = Stage()
    with made.cloud(0) as cloud:
        cloud.boot()
        cloud.run()
    return made
