"""The start of a stack, step by step: files, broker and database, services, a first server, its flow."""

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mininova.service import concurrency
from stack import broker, clouds, down, install, ports, processes, real, services, settings
from stack.brokers import KINDS
from stack.errors import StackError
from stack.home import Home
from stack.progress import Progress
from stack.readiness import Readiness
from stack.settings import Settings
from stack.supervisor import Supervisor

#: What is weaker on a broker of others.
ALL_ARE_ONE = (
    "         On your broker all services are one user, so none can tell who asks: [identities] enforce = false.\n"
    "         A compute that is taken over could then ask anything of anybody (docs/operate.md)."
)


def up(home: Home, environ: Mapping[str, str], progress: Progress) -> None:
    """Start a stack, or say that it is up.

    :raises StackError: when it does not come up; what had started is stopped again
    """
    wanted = services.with_links(settings.from_environment(environ, home))
    home.create()
    with home.locked():
        if Supervisor(home).answers():
            say_it_is_up(home, progress)
            return
        down.refuse_leftovers(home)
        _require_ports(wanted)
        server = None if wanted.broker_url else install.broker(KINDS[wanted.broker], environ, progress)
        if wanted.keystone_port:
            real.install(progress)
        progress.say(f"Starting mininova in {home.root}")
        settings.save(home, wanted)
        write_files(home, wanted, server, environ)
        try:
            start(home, wanted, environ, progress)
        except BaseException:
            with suppress(StackError):
                down.stop(home)
            raise
        starts = settings.count_start(home)
        if wanted.first_boot:
            _boot(home, "first-boot" if starts == 1 else f"boot-{starts}", environ, progress)
        _say_what_next(home, wanted, progress)


def write_files(home: Home, wanted: Settings, server: Path | None, environ: Mapping[str, str]) -> None:
    """Write what every program reads.

    :param server: where the program of the broker is, for one of our own
    """
    services.write_configuration(home, wanted)
    real.write_files(home, wanted)
    if server:
        tls = _certificates(home) if wanted.tls else None
        users = services.definitions(home, wanted)
        KINDS[wanted.broker].node(home.broker, server, wanted.broker_port, users, tls).write(environ)
    clouds.write(home, wanted)
    Supervisor(home).write(services.programs(home, wanted))


def _certificates(home: Home) -> broker.Certificates:
    from stack import certificates  # a library that starts slowly, and few stacks want it

    return certificates.make(home)


def _require_ports(wanted: Settings) -> None:
    ports.require(wanted.api_port, "MININOVA_API_PORT", "the REST API")
    if wanted.broker_url:
        ports.require_answer(wanted.broker_url, "MININOVA_BROKER_URL")
    else:
        ports.require(wanted.broker_port, "MININOVA_BROKER_PORT", KINDS[wanted.broker].title)
    if wanted.keystone_port:
        ports.require(wanted.keystone_port, "MININOVA_KEYSTONE_PORT", "Keystone")
    if wanted.glance_port:
        ports.require(wanted.glance_port, "MININOVA_GLANCE_PORT", "Glance")
    if wanted.flow_port:
        ports.require(wanted.flow_port, "MININOVA_FLOW_PORT", "the flow in a browser")
    if first := wanted.console_port:
        ports.require(first, "MININOVA_CONSOLE_PORT", "consoles by VNC")
        ports.require(first + 1, "MININOVA_CONSOLE_PORT", "serial consoles")
    for name, port in services.metrics_ports(wanted).items():
        ports.require(port, "MININOVA_METRICS_PORT", f"the metrics of {name}")


def say_it_is_up(home: Home, progress: Progress) -> None:
    """Say that the stack runs and change nothing.

    :raises StackError: when a part of it does not, naming it and the way to start it
    """
    kept = settings.load(home)
    if dead := [status.name for status in Supervisor(home).all() if not status.is_up]:
        raise StackError(
            f"The stack in {home.root} is up, but not {', '.join(dead)}.  See why: tools/stack.sh logs {dead[0]}.  "
            f"Start it again: tools/stack.sh restart {dead[0]}"
        )
    progress.say(f"mininova is up already, at {kept.api_url}: nothing was changed.")
    progress.say("tools/stack.sh status shows its processes; tools/unstack.sh stops it.")


# ---- the steps


def start(home: Home, wanted: Settings, environ: Mapping[str, str], progress: Progress) -> None:
    """Start every program, and return when all are up.

    :raises StackError: when one does not come up
    """
    supervisor = Supervisor(home)
    found_in = {"PYTHONPATH": wanted.python_path} if wanted.python_path else {}
    supervisor.launch(environ, **{concurrency.VARIABLE: wanted.concurrency}, **found_in)
    names = [program.name for program in services.programs(home, wanted)]
    first = [name for name in names if name in (wanted.broker, services.FAULTS)]
    title = KINDS[wanted.broker].title
    with Readiness(home.run, names) as readiness:
        with progress.step(f"Starting {title} and making the database") as done:
            pids = supervisor.start(first)
            _prepare_database(home, wanted, environ)
            done(f"database: {_without_password(wanted.db_url) if wanted.db_url else home.database.name}")
            supervisor.await_ready(readiness, pids)
            done(f"{title}: {_broker_line(wanted)}")
        if wanted.broker_url:
            progress.say(ALL_ARE_ONE)
        if wanted.keystone_port:
            with progress.step("Starting the real services") as done:
                for line in _start_real(home, wanted, environ, supervisor, readiness):
                    done(line)
        with progress.step("Starting the services") as done:
            pids = supervisor.start(name for name in names if name not in {*first, *real.names(wanted)})
            supervisor.await_ready(readiness, pids)
            done(f"up: {', '.join(pids)}")


def _start_real(
    home: Home, wanted: Settings, environ: Mapping[str, str], supervisor: Supervisor, readiness: Readiness
) -> Iterator[str]:
    """Start Keystone and fill it, then Glance, which asks it; say of each where it is."""
    real.prepare(home, wanted, environ)
    supervisor.await_ready(readiness, supervisor.start([real.KEYSTONE]))
    real.fill(home, wanted)
    yield f"Keystone: {wanted.auth_url}"
    if wanted.glance_port:
        supervisor.await_ready(readiness, supervisor.start([real.GLANCE]))
        real.upload_image(home)
        yield f"Glance: http://{ports.LOOPBACK}:{wanted.glance_port}"


def _broker_line(wanted: Settings) -> str:
    if wanted.broker_url:
        return f"yours, {_without_password(wanted.broker_url)}"
    return f"a node of its own, on {ports.LOOPBACK}:{wanted.broker_port}{', over TLS' if wanted.tls else ''}"


def _without_password(url: str) -> str:
    """Say where something is, without who we are there; a query may have a password as well."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _prepare_database(home: Home, wanted: Settings, environ: Mapping[str, str]) -> None:
    """Bring the schema up to date, and make what a cloud begins with."""
    users = [*clouds.USERS.values(), *(["nova"] if services.logs_in(wanted) else [])]
    secret = {f"MININOVA_{user.upper()}_PASSWORD": clouds.password(home, user) for user in users}
    computes = [word for name, hosts in wanted.computes.items() for word in ("--compute", f"{name}={hosts}")]
    _manage(home, ("bootstrap", "--upgrade", *computes), {**processes.plain_environment(environ), **secret})


def let_in(home: Home, kept: Settings, host: str, environ: Mapping[str, str]) -> None:
    """Make a compute known to the broker that runs, as an operator would; its file gets the password.

    On a broker of others it is the one user that everybody is.
    """
    if not kept.broker_url:
        words = ("host", "add", host, "--config", str(services.compute_file(home, host)))
        _manage(home, words, processes.plain_environment(environ))


def _manage(home: Home, words: Iterable[str], environ: Mapping[str, str]) -> None:
    command = [services.executable("mininova-manage"), *words, "--config-file", str(home.etc / "mininova.conf")]
    done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, umask=0o077)
    if done.returncode:
        raise StackError((done.stderr or done.stdout).strip().splitlines()[-1])


# ---- the first server


def client_environment(home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """Give the environment in which clients find this cloud and no other, with no proxy between, on this terminal."""
    terminal = {name: environ[name] for name in ("TERM", "COLUMNS", "NO_COLOR") if name in environ}
    ours = {"OS_CLIENT_CONFIG_FILE": str(home.clouds), "MININOVA_CONFIG_FILE": str(home.etc / "mininova.conf")}
    return {**processes.plain_environment(environ), **terminal, **ours}


def _boot(home: Home, name: str, environ: Mapping[str, str], progress: Progress) -> None:
    """Boot a server with the real client, and show the flow of that boot.

    Not with ``--wait``: the client looks at once, sleeps for five seconds, and looks again, and a boot takes a tenth of
    one.  By the time that a second client has started the server is ACTIVE.
    """
    environment = client_environment(home, environ)
    words = ("server", "create", "--flavor", "m1.tiny", "--image", "cirros", name)
    with progress.step(f"openstack --os-cloud mininova {' '.join(words)}") as done:
        server = _openstack(environment, *words)
        server = _openstack(environment, "server", "show", server["id"])
        done(f"server {name} is {server['status']}, {_addresses(server)}")
    progress.say("\nThe flow of that boot:\n")
    subprocess.run([services.executable("mininova-flow"), "show", server["id"]], env=environment, check=False)
    if server["status"] == "ERROR":
        raise StackError(f"The services are up, but the first server is in ERROR: {server['fault']}")


def _openstack(environment: Mapping[str, str], *words: str) -> dict[str, Any]:
    command = [services.executable("openstack"), "--os-cloud", "mininova", *words, "-f", "json"]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise StackError(f"The services are up, but openstack {' '.join(words[:2])} failed: {done.stderr.strip()}")
    return dict(json.loads(done.stdout))


def _addresses(server: Mapping[str, Any]) -> str:
    return ", ".join(address for addresses in server["addresses"].values() for address in addresses)


def _say_what_next(home: Home, wanted: Settings, progress: Progress) -> None:
    openrc = os.path.relpath(home.openrc) if home.openrc.is_relative_to(Path.cwd()) else home.openrc
    progress.say(f"""
mininova is up at {wanted.api_url}.  What to try next:

    . {openrc}
    openstack server list
    openstack server create --flavor m1.tiny --image cirros --min 3 --max 3 --wait crowd
    mininova-flow list
    mininova-flow show crowd-1
    mininova-manage service list

    tools/stack.sh status                 its processes; also: logs, restart, add-compute, help
    tools/unstack.sh                      stops it; with --clean it forgets everything
""")
    if page := clouds.page(home, wanted):
        progress.say(f"    {page}                the cloud in a browser: tools/stack.sh browse")
    if wanted.control:
        progress.say("    mininova-control services             kill them, pause them, cut them off: docs/faults.md")
    for name, port in services.metrics_ports(wanted).items():
        progress.say(f"    http://{ports.LOOPBACK}:{port}/metrics   of {name}")
