"""The stack that a storm is for: two conductors, some computes, short times, and proxies before broker and database."""

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from sqlalchemy import Engine, create_engine
from stack import clouds, down, ports, services, settings, up
from stack.brokers import KINDS
from stack.errors import StackError
from stack.home import Home
from stack.network import Link, Network
from stack.progress import Progress
from stack.supervisor import Supervisor

from mininova.service import concurrency
from storm.database import Database
from storm.plan import BROKER, DATABASE, Way

CONDUCTORS = 2
GRACE = 3  # seconds in which a stopping service finishes what it has begun

#: What differs from a stack's usual settings, so that what takes minutes takes seconds.
SHORT = """
[DEFAULT]
report_interval = 1
service_down_time = 6
rpc_response_timeout = 10
[oslo_messaging_rabbit]
heartbeat_timeout_threshold = 6
"""
CONTROLLER = """
[operations]
due_after = 2
"""
COMPUTE = """
[compute]
reconcile_interval = 5
[fake]
memory_mb = 65536
"""
BEHAVIOUR = """
- operation: spawn
  delay: {distribution: uniform, low: 200, high: 1000}
- delay: {distribution: uniform, low: 20, high: 200}
"""


class Cloud:
    """One stack in a home of its own.

    :param root: the home, a folder that is empty or new
    :param computes: how many
    :param database: what its tables are in
    :param threads: what the threads of its services are made of, ``eventlet`` or ``threads``
    :param broker: which one it runs; the storm calls it BROKER, so that a seed draws the same on each
    """

    def __init__(self, root: Path, computes: int, database: Database, threads: str, broker: str) -> None:
        db_url = database.url
        environ = {
            "MININOVA_API_PORT": str(ports.pick()),
            "MININOVA_BROKER": broker,
            "MININOVA_BROKER_PORT": str(ports.pick()),
            "MININOVA_COMPUTES": str(computes),
            "MININOVA_CONDUCTORS": str(CONDUCTORS),
            "MININOVA_DB_URL": db_url or "",
            "MININOVA_FLOW": "0",
            **{name: os.environ.get(name, "") for name in ("MININOVA_PASTE_CONFIG", "MININOVA_PYTHONPATH")},
            concurrency.VARIABLE: threads,
        }
        self.home, self.database = Home(root), database
        self.wanted = settings.from_environment(environ, self.home)
        self.supervisor = Supervisor(self.home)
        started = [program.name for program in services.programs(self.home, self.wanted)]
        self.programs = [BROKER if name == broker else name for name in started]
        self.network = Network({way: Link(ports.pick(), to) for way, to in self._ways().items()})
        self.engine: Engine = create_engine(db_url or f"sqlite:///{self.home.database}")

    def _ways(self) -> dict[Way, int]:
        """Name the ways of the services that have a file of their own, and the port to which each leads."""
        controllers = [name for name in self.programs if name.startswith((*services.SERVICES,))]
        computes = [services.COMPUTE + name for name in self.wanted.computes]
        ways = {(name, BROKER): self.wanted.broker_port for name in (*controllers, *computes)}
        if self.database.port is not None:
            ways |= {(name, DATABASE): self.database.port for name in controllers}
        return ways

    def start(self) -> None:
        """Start it.

        :raises StackError: when it does not come up
        """
        kind = KINDS[self.wanted.broker]
        server = kind.find(os.environ)
        if server is None:
            raise StackError(
                f"{kind.title} is not installed: MININOVA_BROKER={self.wanted.broker} tools/stack.sh install"
            )
        self.home.create()
        settings.save(self.home, self.wanted)
        up.write_files(self.home, self.wanted, server, os.environ)
        self._shorten()
        self.network.start()
        up.start(self.home, self.wanted, os.environ, Progress(Console(file=io.StringIO())))

    def stop(self) -> None:
        """Stop it; its home stays."""
        down.stop(self.home)
        self.network.stop()
        self.engine.dispose()

    def _shorten(self) -> None:
        """Write short times into the services' files, and the proxies' ports in place of the servers'."""
        _add(self.home.etc / "mininova.conf", SHORT + CONTROLLER)
        for name in self.wanted.computes:
            _add(services.compute_file(self.home, name), SHORT + COMPUTE)
        grace = "graceful_shutdown_timeout = {}\n".format
        for (name, to), link in self.network.links.items():
            file, address = self.home.etc / f"{name}.conf", f"{ports.LOOPBACK}:{{}}/".format
            if to == DATABASE:
                url = str(self.database.url).replace(address(self.database.port), address(link.port))
                _add(file, f"[database]\nconnection = {url}\n")
            else:
                text = file.read_text().replace(address(self.wanted.broker_port), address(link.port))
                file.write_text(text.replace(grace(services.GRACE), grace(GRACE)))
        services.behaviour(self.home).write_text(BEHAVIOUR)

    # ---- what the storm asks

    def program(self, target: str) -> str:
        """Name the program of the stack that a storm means."""
        return self.wanted.broker if target == BROKER else target

    @property
    def broker_data(self) -> Path:
        """Name the folder of what the broker keeps on disk."""
        return self.home.broker / "data"

    def login(self, cloud: str = "mininova") -> Mapping[str, object]:
        """Give the body of a request for a token of a user.

        :param cloud: its name in the stack's clouds.yaml
        """
        user = clouds.USERS[cloud]
        domain = {"name": "Default"}
        who = {"name": user, "domain": domain, "password": clouds.password(self.home, user)}
        scope = {"project": {"name": user, "domain": domain}}
        return {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": scope}}

    def guests(self) -> list[tuple[str, Path]]:
        """Find the guests that the fake hypervisors remember: host and file of each, which is named by the uuid."""
        return [(file.parent.name, file) for file in self.home.hosts.glob("*/guests/*/*.json")]

    def logs(self) -> Sequence[Path]:
        """List the programs' logs, the older files of each included."""
        return sorted(self.home.logs.glob("mininova-*"))


def _add(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)
