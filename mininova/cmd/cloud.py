"""mininova-cloud: the whole cloud in one process, for tests and for a first look.

It needs no broker, no database server, no root and no checkout.  Each service is built as its own command builds it,
and sends the same messages; only the broker is one in memory.  The settings are files in a folder, as in a deployment,
so mininova-manage and mininova-flow work on it: the services share mininova.conf, and the compute has its own file.
"""

import argparse
import contextlib
import io
import json
import os
import secrets
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

from oslo_config.cfg import ConfigOpts

from mininova import conf, errors
from mininova.cmd import api, arguments, compute, conductor, flow, scheduler
from mininova.cmd.database import open_database
from mininova.control.world import World
from mininova.flow import output
from mininova.flow.store import locked
from mininova.manage import bootstrap
from mininova.rpc.transports.in_process import InProcessBroker
from mininova.rpc.trust import lanes
from mininova.rpc.watch.flow import EXCHANGE, KEY
from mininova.service import log
from mininova.service.process import Process
from mininova.service.supervised import StopSignals, say_ready
from mininova.trust import identities

NAME = "mininova-cloud"
CONTROLLER = "ctl-1"  # the host of the services but compute, as in the local stack
HOSTS = "hosts"  # the compute process, which stands for all of them
PASSWORD = "mininova"  # of both users: this cloud holds nothing, and only this machine reaches it
BEHAVIOUR = "fake-behaviour.yaml"  # how the fake hypervisors behave
LOSSES = "losses.yaml"  # which messages are lost on purpose
CONTROL = "control.json"  # how clients reach the control API, with its token: for the eyes of their owner
GRACE_S = 1  # that each service has at the end for what it has begun: a test may have it take for ever
USERS = {"mininova": "demo", "mininova-admin": "admin"}  # the clouds of clouds.yaml

#: The services, in the order in which they start.
SERVICES: Mapping[str, Callable[[ConfigOpts], Process]] = {
    "flow": flow.build,
    "conductor": conductor.build,
    "scheduler": scheduler.build,
    "compute": compute.build,
    "api": api.build,
}


def main() -> None:
    """Run the command."""
    parsed = _parser().parse_args()
    sys.exit(arguments.run(NAME, lambda: _run(parsed)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(NAME, description="Run a whole cloud in this process, until a signal ends it.")
    parser.add_argument(
        "--port", type=_number(0, 65_535), default=8774, metavar="PORT", help="0 takes a free one (%(default)s)"
    )
    parser.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="on which address (%(default)s)")
    parser.add_argument(
        "--hosts", type=_number(1, 10_000), default=3, metavar="N", help="how many hosts it has (%(default)s)"
    )
    parser.add_argument(
        "--page", type=_number(0, 65_535), metavar="PORT", help="show it in a browser here, message by message"
    )
    parser.add_argument("--clouds-yaml", type=Path, metavar="FILE", help="write down here how clients reach it")
    parser.add_argument("--state", type=Path, metavar="FOLDER", help="keep all here, for the next start, too")
    parser.add_argument(
        "--config-file", action="append", default=[], metavar="FILE",
        help="more settings, which win over those that this command makes; may be repeated",
    )  # fmt: skip
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(written: str) -> int:
        if not written.isdecimal() or not least <= int(written) <= most:
            raise argparse.ArgumentTypeError(f"{written!r} is no number from {least} to {most}")
        return int(written)

    return number


def _run(parsed: Namespace) -> None:
    signals = StopSignals()
    with ExitStack() as ending:
        folder = ending.enter_context(_folder(parsed.state))
        ending.enter_context(_alone(folder))
        broker = InProcessBroker(folder.name)
        token = secrets.token_urlsafe()
        shared = [_write_settings(folder, parsed), *parsed.config_file]
        log.setup(settings := conf.read_files("manage", shared))
        lane = lanes.exchange_of(settings.control_exchange, identities.compute(HOSTS).name)
        broker.lead_on(lane, KEY, EXCHANGE)  # what a compute reports to the flow, as everything, goes by its lane
        _fill(shared, parsed.hosts)
        hypervisors: dict[str, Any] = {}  # by host; the settings of this command name the fake one
        for service, build in SERVICES.items():
            own = _write_own_settings(folder, service, parsed, token)
            settings = conf.read_files(service, [own] if service == "compute" else [*shared, own])
            if service == "api":
                world = World(open_database(settings), broker, hypervisors, Path(settings.image.directory))
                build = partial(api.build, world=world)
            process = build(settings)
            ending.callback(process.stop)
            if service == "compute":
                hypervisors |= compute.drivers_of(process)
        world.remember()
        (port,) = process.http_ports
        clouds = (parsed.clouds_yaml or folder / "clouds.yaml").absolute()
        clouds.write_text(_clouds(url := f"http://{parsed.listen}:{port}"))
        _for_its_owner(folder / CONTROL, json.dumps({"url": f"{url}/control", "token": token}) + "\n")
        _say(_READY.format(url=url, hosts=parsed.hosts, clouds=clouds, folder=folder))
        if parsed.page is not None:
            port = _show(ending, [*shared, _write_page_settings(folder, parsed, clouds)])
            _say(f"In a browser: http://{parsed.listen}:{port}/#token={token}")
        _say(f"Its log is {folder}/mininova.log; Ctrl-C ends it.")
        if socket := os.environ.get("NOTIFY_SOCKET"):
            say_ready(socket, NAME)
        signals.wait()


def _say(text: str) -> None:
    """Say something at once; a reader who has read enough does not end the cloud."""
    try:
        output.show_text(text)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        arguments.print_nowhere()


def _show(ending: ExitStack, files: list[str]) -> int:
    """Show the flow in a browser, until the end, and give the port."""
    from mininova.cmd import flow_serve  # which those need not wait for who show it nowhere

    page = flow_serve.build(conf.read_files("flow", files))
    ending.callback(page.stop)
    return page.http_ports[-1]


_READY = """\
The cloud is up at {url}, with {hosts} hosts.
  export OS_CLIENT_CONFIG_FILE={clouds} OS_CLOUD=mininova
  openstack server create --flavor m1.tiny --image cirros --wait one
  mininova-flow --config-file {folder}/mininova.conf list
  mininova-control --file {folder}/control.json rules"""


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.absolute()
    else:
        with tempfile.TemporaryDirectory(prefix=f"{NAME}-") as folder:
            yield Path(folder)


def _alone(folder: Path) -> IO[bytes]:
    try:
        return locked(folder)
    except errors.FlowInUse:
        raise errors.ConfigError(problem=f"another {NAME} runs in {folder}") from None


# ---- what stands in the folder


def _write_settings(folder: Path, parsed: Namespace) -> str:
    """Write what the services share, and mininova-manage and mininova-flow read."""
    for example in (files("mininova.virt") / BEHAVIOUR, files("mininova.service") / LOSSES):
        if not (folder / example.name).exists():
            (folder / example.name).write_bytes(example.read_bytes())
    return _written(folder / "mininova.conf", {
        "DEFAULT": {"host": CONTROLLER, **_common(folder, "manage"), **_times(parsed.hosts)},
        "database": {"connection": f"sqlite:///{folder / 'mininova.sqlite'}"},
        "api": {"listen": parsed.listen, "port": parsed.port},
        "identity": {"password_hash_memory": 16},  # KiB: all passwords are known, and tests log in often
        "flow": {"enabled": True},
        "losses": {"file": folder / LOSSES},
        **_NO_NOTIFICATIONS,
        "quota": dict.fromkeys(("instances", "cores", "ram", "server_groups", "server_group_members"), -1),
    })  # fmt: skip


def _write_own_settings(folder: Path, service: str, parsed: Namespace, token: str) -> str:
    """Write what a service does not share: who it is for the broker; all that a compute knows; the api's token."""
    if service == "api":
        control = {"token": token, "behaviour": folder / BEHAVIOUR}
        return _written(folder / "api.conf", {"DEFAULT": _common(folder, service), "control": control})
    if service != "compute":
        return _written(folder / f"{service}.conf", {"DEFAULT": _common(folder, service)})
    return _written(folder / "compute.conf", {
        "DEFAULT": {
            "host": HOSTS, **_common(folder, identities.compute(HOSTS).name), **_times(parsed.hosts)
        },
        "compute": {"hosts": _hosts(parsed.hosts)},
        "fake": {"behaviour": folder / BEHAVIOUR},
        "flow": {"enabled": True},
        "losses": {"file": folder / LOSSES},
        **_NO_NOTIFICATIONS,
    })  # fmt: skip


def _write_page_settings(folder: Path, parsed: Namespace, clouds: Path) -> str:
    """Write where the page is, and how it changes the cloud."""
    page = {"listen": parsed.listen, "port": parsed.page, "control": folder / CONTROL, "clouds": clouds}
    return _written(folder / "page.conf", {"DEFAULT": _common(folder, "flow"), "flow": page})


def _common(folder: Path, user: str) -> Mapping[str, object]:
    url = f"memory://{user}@{folder.name}"
    return {"state_path": folder, "log_file": folder / "mininova.log", "transport_url": url}


def _times(hosts: int) -> Mapping[str, object]:
    """Have many hosts report less often, for one process has all servers to look after; and have the end come soon."""
    interval = max(10, hosts // 10)
    return {"report_interval": interval, "service_down_time": 6 * interval, "graceful_shutdown_timeout": GRACE_S}


#: Notifications are for listeners at a broker, and no one can listen at ours.
_NO_NOTIFICATIONS = {"oslo_messaging_notifications": {"driver": "noop"}}


def _written(path: Path, sections: Mapping[str, Mapping[str, object]]) -> str:
    lines = [line for name, options in sections.items() for line in (f"[{name}]", *_options(options))]
    _for_its_owner(path, "\n".join([f"# Written by {NAME} at each start.", *lines, ""]))
    return str(path)


def _for_its_owner(path: Path, text: str) -> None:
    """Write a file that no other user of the machine may read: there may be a token in it."""
    path.touch(0o600)
    path.chmod(0o600)
    path.write_text(text)


def _options(options: Mapping[str, object]) -> Iterator[str]:
    return (f"{name} = {str(value).replace('$', '$$')}" for name, value in options.items())


def _hosts(count: int) -> str:
    return "host-1" if count == 1 else f"host-[1-{count}]"


def _fill(files: list[str], hosts: int) -> None:
    """Make the tables, the users, the first flavors and an image, if they are not there."""
    settings = conf.read_files("manage", files)
    users = {"admin_password": PASSWORD, "demo_password": PASSWORD, "nova_password": None}
    wanted = {**users, "compute": [f"{HOSTS}={_hosts(hosts)}"]}
    with contextlib.redirect_stdout(io.StringIO()):  # what it says is for an operator
        bootstrap.run(settings, Namespace(upgrade=True, **wanted))


def _clouds(url: str) -> str:
    """Write a clouds.yaml; JSON is YAML, too."""
    return json.dumps({"clouds": {cloud: _cloud(url, user) for cloud, user in USERS.items()}}, indent=2) + "\n"


def _cloud(url: str, user: str) -> Mapping[str, object]:
    who = {"username": user, "password": PASSWORD, "project_name": user}
    domains = {"user_domain_name": "Default", "project_domain_name": "Default"}
    return {"auth": {"auth_url": f"{url}/identity/v3", **who, **domains}, "region_name": "RegionOne"}
