"""A database with a few services, and a function that runs a command on it."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from oslo_config.cfg import ConfigOpts

from mininova import conf as settings
from mininova.db import hosts, services
from mininova.db.session import Database
from mininova.manage.database import schemas
from mininova.objects import ComputeNode, Service


@pytest.fixture
def conf(tmp_path: Path) -> ConfigOpts:
    """The settings of a cloud in its own folder."""
    return settings.for_tests("manage", state_path=str(tmp_path))


@pytest.fixture
def db(conf: ConfigOpts):
    """The database of these settings, with all tables."""
    database = Database(conf.database.connection)
    for schema in schemas(conf):
        schema.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def run(conf: ConfigOpts, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Run a command, and give the lines that it prints."""

    def run(command: Callable[[ConfigOpts, argparse.Namespace], None], **parsed: object) -> list[str]:
        command(conf, argparse.Namespace(**{"format": "table", **parsed}))
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def register(db: Database) -> Callable[..., Service]:
    """Have a compute host report, some seconds ago."""

    def register(host: str, *, ago: float = 0, node: bool = True, **columns: object) -> Service:
        heard = datetime.now(UTC) - timedelta(seconds=ago)
        service = Service(binary="nova-compute", host=host, topic="compute", availability_zone="nova")
        room = ComputeNode(host=host, hypervisor_hostname=host, vcpus=8, memory_mb=16384, local_gb=200)
        with db.write() as tx:
            known = services.report(tx, service, heard)
            if node:
                hosts.report(tx, room)
            return services.update(tx, known.uuid, **columns) if columns else known

    return register
