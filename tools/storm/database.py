"""The database of a storm's stack: a SQLite file, a server of our own that can be away, or one that runs already."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SQLITE = "sqlite"
CHECKOUT = Path(__file__).resolve().parents[2]


class Database:
    """One database.

    :param folder: where a server of our own keeps its files, and listens
    :param wanted: sqlite, postgresql, mariadb, or the URL of an empty database
    :ivar url: None for the SQLite file that a stack has by itself
    """

    def __init__(self, folder: Path, wanted: str) -> None:
        self.url: str | None = wanted if "://" in wanted else None
        self._server: Any = None
        self._keeper = ThreadPoolExecutor(1)  # the server ends with the thread that has started it
        if self.url is None and wanted != SQLITE:
            folder.chmod(0o711)  # the server is another user, who must get to its folder
            self._server = _server(wanted, folder / "db")
            self.start()
            self.url = self._server.create("mininova")

    @property
    def port(self) -> int | None:
        """The port of a server of our own, which can be away; None when there is none."""
        return None if self._server is None else int(self._server.port)

    def start(self) -> None:
        """Have a server of our own run."""
        if self._server is not None:
            self._keeper.submit(self._server.start).result()

    def stop(self) -> None:
        """Kill a server of our own."""
        if self._server is not None:
            self._keeper.submit(self._server.stop).result()

    def close(self) -> None:
        """Kill a server of our own for good."""
        self.stop()
        self._keeper.shutdown()


def _server(kind: str, folder: Path) -> Any:
    """Make one of the servers of the tests."""
    sys.path.insert(0, str(CHECKOUT))
    from tests.fixtures.private_databases import SERVERS

    return SERVERS[kind](folder)
