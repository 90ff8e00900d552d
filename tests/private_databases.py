"""Servers of the tests' own, PostgreSQL and MariaDB: made in a temporary folder, on a free port, gone with the tests.

``tests/conftest.py`` runs one of each for a session that asks for it, and gives tests empty databases on them.
What was committed outlives the end of a server, but not a loss of power: so they are quick.
"""

import glob
import os
import shutil
import signal
import subprocess
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from stack import ports, readiness

from mininova.db.models import compute, identity, image  # noqa: F401 - they bring their tables into the metadata
from mininova.db.models.base import metadata

USER, PASSWORD = "mininova", "secret"

#: What mininova promises to work with.
SQLITE, POSTGRESQL, MARIADB = KINDS = ("sqlite", "postgresql", "mariadb")

_DEADLINE = 60  # seconds to come up

#: The tables of MariaDB's that count, and have counted.
_COUNTED = text(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND auto_increment > 1"
)

#: Both refuse to run as root, and need a user that the system knows.
_NOBODY = ("--reuid=nobody", "--regid=nogroup", "--clear-groups") if os.geteuid() == 0 else ()


class PrivateDatabaseServer:
    """A server that can be stopped, and started again with what it had.

    :param folder: where everything of it lies; a short path, for it holds a socket
    """

    #: as SQLAlchemy names it
    driver: str
    #: the database that is there already
    first: str
    #: what ends it at once, with all of its processes
    end: signal.Signals

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, ports.pick()
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(exist_ok=True)
        (folder / "password").write_text(PASSWORD)
        if _NOBODY:
            shutil.chown(folder, "nobody", "nogroup")
        self._make()

    def url(self, database: str) -> str:
        """Give the URL of a database on it."""
        return f"{self.driver}://{USER}:{PASSWORD}@{ports.LOOPBACK}:{self.port}/{database}"

    def start(self) -> None:
        """Start it if it does not run, and return when it lets clients in."""
        if self._process is not None:
            return
        with readiness.Readiness(self.folder, ["server"]) as up, open(self.folder / "log", "ab") as log:
            told = readiness.socket_path(self.folder, "server")
            told.chmod(0o777)
            environ = {**os.environ, readiness.VARIABLE: str(told)}
            command = [*self._as_nobody(), *self._command()]
            self._process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            for _ in up.wait({"server": self._process.pid}, _DEADLINE):
                pass

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.send_signal(self.end)
            self._process.wait()
            self._process = None

    def create(self, database: str) -> str:
        """Make a database and give its URL."""
        engine = create_engine(self.url(self.first), isolation_level="AUTOCOMMIT")
        with engine.connect() as server:
            server.execute(text(f"CREATE DATABASE {database}"))
        engine.dispose()
        return self.url(database)

    def empty(self, tx: Connection) -> None:
        """Forget every row of a database but which schema it has, and count from 1 again."""
        raise NotImplementedError

    def _make(self) -> None:
        """Make the files of a server without databases of ours."""
        raise NotImplementedError

    def _command(self) -> list[str]:
        """Give the command that runs it in the foreground, and says in sd_notify's protocol when it is up."""
        raise NotImplementedError

    def _as_nobody(self) -> list[str]:
        """Give the words that have a command run as nobody in particular, and end when the tests do."""
        return ["setpriv", *_NOBODY, f"--pdeathsig={self.end.name.removeprefix('SIG')}", "--"]

    def _run(self, *words: str) -> None:
        subprocess.run([*self._as_nobody(), *words], check=True, stdin=subprocess.DEVNULL, capture_output=True)


class PostgreSQL(PrivateDatabaseServer):
    """A cluster of PostgreSQL's."""

    driver, first, end = "postgresql+psycopg", "postgres", signal.SIGQUIT

    def empty(self, tx: Connection) -> None:
        """Take all tables in one statement."""
        tx.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"))

    def _make(self) -> None:
        self._run(
            _program("initdb", "/usr/lib/postgresql/*/bin"), f"--pgdata={self.folder / 'data'}", f"--username={USER}",
            "--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}", "--encoding=UTF8", "--no-locale",
            "--no-sync",
        )  # fmt: skip

    def _command(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": ports.LOOPBACK,
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
        }
        server = _program("postgres", "/usr/lib/postgresql/*/bin")
        return [server, "-D", str(self.folder / "data"), *(f"--{name}={value}" for name, value in settings.items())]


class MariaDB(PrivateDatabaseServer):
    """A server of MariaDB's."""

    driver, first, end = "mysql+pymysql", "mysql", signal.SIGKILL

    def empty(self, tx: Connection) -> None:
        """Take only the tables that were used: each costs a millisecond or two."""
        used = {name for name in metadata.tables if tx.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first()}
        tx.execute(text("SET foreign_key_checks = 0"))
        for name in used.union(tx.execute(_COUNTED).scalars()):
            tx.execute(text(f"TRUNCATE {name}"))
        tx.execute(text("SET foreign_key_checks = 1"))

    def _make(self) -> None:
        self._run(
            _program("mariadb-install-db", "/usr/bin"), "--no-defaults", f"--datadir={self.folder / 'data'}",
            "--skip-test-db", "--auth-root-authentication-method=normal",
        )  # fmt: skip
        (self.folder / "users.sql").write_text(
            f"CREATE USER IF NOT EXISTS {USER} IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO {USER};\n"
            "DROP USER IF EXISTS root@localhost;\n"
        )

    def _command(self) -> list[str]:
        settings = {
            "datadir": self.folder / "data",
            "port": self.port,
            "bind-address": ports.LOOPBACK,
            "socket": self.folder / "socket",
            "init-file": self.folder / "users.sql",
            "skip-name-resolve": 1,
            "innodb-flush-log-at-trx-commit": 2,
            "innodb-doublewrite": 0,
            "innodb-buffer-pool-size": "64M",
        }
        server = _program("mariadbd", "/usr/sbin")
        return [server, "--no-defaults", *(f"--{name}={value}" for name, value in settings.items())]


SERVERS: dict[str, type[PrivateDatabaseServer]] = {POSTGRESQL: PostgreSQL, MARIADB: MariaDB}


def _program(name: str, folder: str) -> str:
    """Find a program of a server's: on the PATH, or where Debian has it, the newest."""
    found = shutil.which(name) or max(glob.glob(f"{folder}/{name}"), key=_version, default=None)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: sudo tools/install-databases.sh")
    return found


def _version(path: str) -> list[int]:
    return [int(part) for part in path.split("/") if part.isdecimal()]
