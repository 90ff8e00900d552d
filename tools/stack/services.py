"""mininova's own programs in a stack: the configuration file of each, and how it is run.

The services of the controller share mininova.conf; each compute has a file of its own, in which there is no database.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack import broker
from stack.home import Home
from stack.settings import CHECKOUT, Settings
from stack.supervisor import Program

#: The name of the controller: the host of api, scheduler and conductor.
CONTROLLER = "ctl-1"
BROKER = "rabbitmq"
COMPUTE = "mininova-compute-"
#: The services of the controller, which share a configuration file.
SERVICES = ("mininova-api", "mininova-scheduler", "mininova-conductor")
#: What there is beside the computes.
CONTROLLER_PROGRAMS = (BROKER, *SERVICES, "mininova-flow")

#: Seconds in which a stopping service finishes what it was doing; supervisord's patience is longer.
GRACE = 10

Sections = Mapping[str, Mapping[str, object]]


def programs(home: Home, settings: Settings) -> list[Program]:
    """List everything that a stack runs, the broker first."""
    controller = home.etc / "mininova.conf"
    found = [] if settings.broker_url else [Program(BROKER, (str(home.broker / broker.START),))]
    shown = metrics_ports(settings)
    found += [_service(name, controller, *([_metrics_file(home, name)] if shown else [])) for name in SERVICES]
    found += [compute(home, host) for host in settings.computes]
    if settings.flow:
        found.append(_service("mininova-flow", controller, words=("collect",)))
    return found


def compute(home: Home, host: str) -> Program:
    """Describe the compute of a host."""
    return Program(COMPUTE + host, (executable("mininova-compute"), "--config-file", str(_compute_file(home, host))))


def _service(name: str, *files: Path, words: Sequence[str] = ()) -> Program:
    options = [word for file in files for word in ("--config-file", str(file))]
    return Program(name, (executable(name), *words, *options))


def metrics_ports(settings: Settings) -> dict[str, int]:
    """Give the port at which each service shows its metrics: the one that was asked for, and those after it."""
    names = [*SERVICES, *(COMPUTE + host for host in settings.computes)]
    first = settings.metrics_port
    return {} if first is None else {name: first + number for number, name in enumerate(names)}


def executable(name: str) -> str:
    """Give the path of a program of the virtual environment."""
    return str(Path(sys.executable).with_name(name))


# ---- configuration files


def write_configuration(home: Home, settings: Settings) -> None:
    """Write the configuration files of all services."""
    controller: Sections = {
        "DEFAULT": {"host": CONTROLLER, "state_path": home.root, **_messaging(home, settings)},
        "database": {"connection": settings.db_url or f"sqlite:///{home.database}"},
        "api": {"port": settings.api_port, "paste_config": CHECKOUT / "etc/mininova/api-paste.ini"},
        "flow": {"enabled": settings.flow},
    }
    home.write_private(home.etc / "mininova.conf", _ini(controller))
    for name in SERVICES:
        if port := metrics_ports(settings).get(name):
            home.write_private(_metrics_file(home, name), _ini({"metrics": {"port": port}}))
    if not behaviour(home).exists():
        shutil.copyfile(CHECKOUT / "etc/mininova/fake-behaviour.yaml", behaviour(home))
    for host in settings.computes:
        write_compute(home, settings, host)


def write_compute(home: Home, settings: Settings, host: str) -> None:
    """Write the configuration file of one compute."""
    state = home.hosts / host
    state.mkdir(mode=0o700, exist_ok=True)
    own: Sections = {
        "DEFAULT": {"host": host, "state_path": state, **_messaging(home, settings)},
        "fake": {"behaviour": behaviour(home)},
        "flow": {"enabled": settings.flow},
    }
    if port := metrics_ports(settings).get(COMPUTE + host):
        own = {**own, "metrics": {"port": port}}
    home.write_private(_compute_file(home, host), _ini(own))


def _messaging(home: Home, settings: Settings) -> dict[str, object]:
    private = broker.url(settings.broker_port, home.secret("broker"))
    return {"transport_url": settings.broker_url or private, "graceful_shutdown_timeout": GRACE}


def _metrics_file(home: Home, name: str) -> Path:
    """Name the file that a service reads after the one it shares, for each needs a port of its own."""
    return home.etc / f"{name}-metrics.conf"


def _compute_file(home: Home, host: str) -> Path:
    return home.etc / f"mininova-compute-{host}.conf"


def behaviour(home: Home) -> Path:
    """Name the file that says how the fake hypervisors behave: the user's to edit, while they run."""
    return home.etc / "fake-behaviour.yaml"


def _ini(sections: Sections) -> str:
    lines = ["# Written by tools/stack.sh at each start: change etc/mininova or the MININOVA_ variables instead.", ""]
    for section, options in sections.items():
        lines += [f"[{section}]", *(f"{name} = {_value(value)}" for name, value in options.items()), ""]
    return "\n".join(lines)


def _value(value: object) -> str:
    """Write a value as oslo.config reads it: ``$name`` would be another option's value."""
    return str(value).lower() if isinstance(value, bool) else str(value).replace("$", "$$")
