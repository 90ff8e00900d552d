"""A compute node cannot reach the database: it has no code for it, no address of it, and no need of it.

The import rules (.importlinter) say that nothing of it may be loaded, and tests/unit/cmd/test_compute_command.py sees
that nothing is.  Here is what holds of the process as it runs in a real cloud.
"""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from documentation import ROOT
from stack import clouds, ports, processes, readiness, services, settings
from stack.supervisor import DEADLINE, Supervisor

from mininova.conf import groups
from tests.fixtures.local_stack import VENV
from tests.fixtures.rest_client import COMPUTE, Client
from tests.fixtures.secret_search import open_files, shown_by

HOST = "host-2"
#: What a database is known by: the names of drivers, of their URLs and files, and of the section in a file.
MARKS = re.compile(rb"sqlite|mysql|mariadb|postgres|psycopg|sqlalchemy|alembic|\[database\]", re.IGNORECASE)


@pytest.fixture
def pid(stack):
    """Give the pid of the compute."""
    return stack.pids()[services.COMPUTE + HOST]


# ---- what it is made of


def rules():
    """Read the import rule about compute: what it is about, and what it forbids."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    rule = parser["importlinter:contract:compute-has-no-database"]
    return (set(rule[name].split()) for name in ("source_modules", "forbidden_modules"))


def test_the_import_rule_is_about_all_of_compute():
    """Neither compute, nor a driver, nor the command may import the database or SQLAlchemy, through anything."""
    about, forbidden = rules()

    assert about >= {"mininova.compute", "mininova.virt", "mininova.cmd.compute"}
    assert forbidden >= {"mininova.db", "sqlalchemy", "alembic", "sqlite3"}


def test_a_compute_reads_no_setting_of_the_database():
    """Of all that its file may have, nothing says where a database is; a section that does is refused."""
    options = {
        f"{section}.{name}" for section, group in groups.accepted_by("compute").items() for name in group.by_name
    }

    assert not [option for option in options if re.search("database|connection$|_db", option)]
    assert ("compute", "database") in groups.REFUSED


# ---- what can be seen of it


def test_it_holds_no_address_and_no_file_of_a_database(stack, pid):
    """Its command line, its environment, its open files and its configuration name none, and have none open."""
    shown = shown_by(pid) | {"its file": (stack.home.etc / f"mininova-compute-{HOST}.conf").read_bytes()}
    database = os.fsencode(stack.home.database)

    assert [place for place, data in shown.items() if MARKS.search(data) or database in data] == []
    assert [name for name in open_files(pid) if MARKS.search(os.fsencode(name))] == []
    conductor = stack.pids()["mininova-conductor"]
    assert str(stack.home.database) in open_files(conductor), "the look at open files does not see a database's"


def test_it_has_no_library_of_a_database_loaded(stack, pid):
    """No driver's shared library is in its memory; the conductor shows that one would be seen."""
    mapped = {name: Path(f"/proc/{number}/maps").read_bytes() for name, number in stack.pids().items()}

    assert not MARKS.search(mapped[services.COMPUTE + HOST])
    assert MARKS.search(mapped["mininova-conductor"])


def test_it_talks_to_the_broker_only(stack, pid):
    """Each of its connections leads to the broker's port."""
    broker = settings.load(stack.home).broker_port
    sockets = {name for name in open_files(pid) if name.startswith("socket:")}

    assert {there for socket, there in connections() if socket in sockets} == {(ports.LOOPBACK, broker)}


def connections():
    """Read from /proc which sockets are connected, and where to."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, _, there, state, *_, inode = line.split()[:10]
            address, port = there.split(":")
            octets = [str(int(address[index : index + 2], 16)) for index in (6, 4, 2, 0)]
            if state == "01":
                yield f"socket:[{inode}]", (".".join(octets) if len(address) == 8 else address, int(port, 16))


# ---- what it needs


def hidden(folder):
    """Give the words that start a program which sees an empty folder in place of this one, as no other program does."""
    script = f'mount -t tmpfs none "{folder}" && exec "$@"'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]


@pytest.fixture
def elsewhere(stack, tmp_path):
    """Run the compute where the stack's home, and so its database, is not there at all; give its pid."""
    if shutil.which("unshare") is None or subprocess.run([*hidden(tmp_path), "true"], capture_output=True).returncode:
        pytest.skip("Linux lets nobody hide a folder from a program here (unshare --user --mount)")
    command = [*hidden(stack.home.root), VENV / "mininova-compute", "--config-file", tmp_path / "compute.conf"]
    environment = {**processes.plain_environment(os.environ), readiness.VARIABLE: str(tmp_path / "compute.ready")}
    supervisor, name = Supervisor(stack.home), services.COMPUTE + HOST
    supervisor.stop([name])
    copy_of_what_is_its_own(stack, tmp_path)
    with (
        readiness.Readiness(tmp_path, ["compute"]) as up,
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=log) as compute,
    ):
        try:
            assert list(up.wait({"compute": compute.pid}, DEADLINE)) == ["compute"]
            yield compute.pid
        finally:
            compute.terminate()
            supervisor.start([name])


def copy_of_what_is_its_own(stack, folder):
    """Give the compute a folder with its settings and its guests; without these, it reports its servers as missing."""
    text = (stack.home.etc / f"mininova-compute-{HOST}.conf").read_text()
    (folder / "compute.conf").write_text(text.replace(str(stack.home.root), str(folder)))
    (folder / "etc").mkdir()
    shutil.copy(services.behaviour(stack.home), folder / "etc")
    shutil.copytree(stack.home.hosts / HOST, folder / "hosts" / HOST)


def test_it_works_where_there_is_no_database(stack, elsewhere):
    """Without a way to the database it starts, builds a server, and deletes it."""
    assert list(Path(f"/proc/{elsewhere}/root{stack.home.root}").iterdir()) == []
    admin = Client(settings.load(stack.home).api_url, "admin", clouds.password(stack.home, "admin"))
    server = admin.boot("without-a-database", availability_zone=f"nova:{HOST}").body["server"]["id"]

    assert admin.at_rest(server) == "ACTIVE"
    assert admin("DELETE", f"{COMPUTE}/servers/{server}").status == 204
    assert admin.at_rest(server) == "DELETED"
