"""What was asked for: the MININOVA_* variables of the environment, checked, and kept for the commands that follow.

A start goes by the environment and by nothing else, except that computes added later (add-compute) belong to the home
and come back.  The other commands need MININOVA_HOME only: the rest they read from what the start wrote down.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mininova.service import concurrency
from mininova.trust import host_lists
from stack import ports
from stack.brokers import KINDS, RABBITMQ
from stack.errors import StackError
from stack.home import Home
from stack.words import DEFAULT_API_PORT, FIRST_BROKER_PORT, FIRST_FLOW_PORT, FIRST_GLANCE_PORT, FIRST_KEYSTONE_PORT

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Settings:
    """One stack, as asked for.

    :param computes: the name of each, and the hosts that it stands for, as trust.host_lists writes them
    :param conductors: how many there are: each after the first is alone on a controller of its own
    :param broker_url: a broker that runs already; None runs a private one on broker_port
    :param broker: which one is run, a key of brokers.KINDS
    :param tls: whether the private broker is spoken to over TLS
    :param db_url: a database that runs already; None uses a SQLite file
    :param flow: whether messages are reported and collected
    :param flow_port: where the flow is shown in a browser; None shows it nowhere
    :param metrics_port: where the first service shows its metrics; None shows none
    :param console_port: where consoles by VNC are reached, and serial ones at the next port; None has none
    :param paste_config: the Paste file; None is the package's own
    :param python_path: where the services find further Python packages; None finds none
    :param concurrency: what the threads of the services are made of
    :param first_boot: whether a start ends with booting a server
    :param keystone_port: where a real Keystone listens; None has the stand-in
    :param glance_port: where a real Glance listens; None has the stand-in
    :param control: whether the control API may have requests fail, and kill, pause and cut off services
    :param vif_events: whether a boot waits for its ports to be plugged, and the network service tells Nova of that
    :param links: where each service finds the private broker, if not at its port: behind what can cut it off
    """

    api_port: int
    broker_port: int
    computes: Mapping[str, str]
    conductors: int = 1
    broker: str = RABBITMQ
    broker_url: str | None = None
    tls: bool = False
    db_url: str | None = None
    flow: bool = True
    flow_port: int | None = None
    metrics_port: int | None = None
    console_port: int | None = None
    paste_config: str | None = None
    python_path: str | None = None
    concurrency: str = concurrency.EVENTLET
    first_boot: bool = True
    keystone_port: int | None = None
    glance_port: int | None = None
    control: bool = False
    vif_events: bool = False
    links: Mapping[str, int] = field(default_factory=dict)

    @property
    def api_url(self) -> str:
        """Where clients find mininova's APIs."""
        return f"http://{ports.LOOPBACK}:{self.api_port}"

    @property
    def flow_url(self) -> str | None:
        """Where a browser shows what happens."""
        return f"http://{ports.LOOPBACK}:{self.flow_port}/" if self.flow_port else None

    @property
    def auth_url(self) -> str:
        """Where clients log in."""
        return (
            f"http://{ports.LOOPBACK}:{self.keystone_port}/v3" if self.keystone_port else f"{self.api_url}/identity/v3"
        )


def home_of(environ: Mapping[str, str]) -> Home:
    """Find the home that a command is about."""
    return Home(Path(environ.get("MININOVA_HOME") or CHECKOUT / ".stack").expanduser().absolute())


def home_of_broker(environ: Mapping[str, str]) -> Home:
    """Find the home of a broker without a stack: beside the stack's."""
    root = home_of(environ).root
    return Home(root.with_name(f"{root.name}-broker"))


def broker_port(environ: Mapping[str, str], home: Home) -> int:
    """Choose the port of a broker without a stack: what is asked for, else the one that it had, else a free one.

    :raises StackError: for a value that cannot be, naming its variable
    """
    asked = _read(environ, "MININOVA_BROKER_PORT", _port, None)
    port = asked or _kept(home).get("broker_port") or ports.first_free(FIRST_BROKER_PORT)
    _keep(home, {**_kept(home), "broker_port": port})
    return int(port)


def from_environment(environ: Mapping[str, str], home: Home) -> Settings:
    """Read what a start is asked for.

    :raises StackError: for a value that cannot be, naming its variable
    """
    broker_port = _read(environ, "MININOVA_BROKER_PORT", _port, None)
    counted = _counted(
        _read(environ, "MININOVA_COMPUTES", _count, 3), _read(environ, "MININOVA_HOSTS_PER_COMPUTE", _host_count, 1)
    )
    broker_url = _read(environ, "MININOVA_BROKER_URL", _broker_url, None)
    tls = _read(environ, "MININOVA_TLS", _switch, False)
    if broker_url and tls:
        raise StackError("MININOVA_TLS is for the private broker, and MININOVA_BROKER_URL names another: set one.")
    return Settings(
        api_port=_read(environ, "MININOVA_API_PORT", _port, DEFAULT_API_PORT),
        broker_port=broker_port or ports.first_free(FIRST_BROKER_PORT),
        computes={**counted, **{name: name for name in added_computes(home)}},
        conductors=_read(environ, "MININOVA_CONDUCTORS", _count, 1),
        broker=broker(environ),
        broker_url=broker_url,
        tls=tls,
        db_url=_read(environ, "MININOVA_DB_URL", _db_url, None),
        flow=(flow := _read(environ, "MININOVA_FLOW", _switch, True)),
        flow_port=_flow_port(environ) if flow else None,
        metrics_port=_read(environ, "MININOVA_METRICS_PORT", _port, None),
        console_port=_read(environ, "MININOVA_CONSOLE_PORT", _port, None),
        paste_config=_read(environ, "MININOVA_PASTE_CONFIG", _file, None),
        python_path=_read(environ, "MININOVA_PYTHONPATH", _folder, None),
        concurrency=_read(environ, concurrency.VARIABLE, _one_of(*concurrency.KINDS), concurrency.EVENTLET),
        first_boot=_read(environ, "MININOVA_BOOT", _switch, True),
        control=_read(environ, "MININOVA_CONTROL_API", _switch, False),
        vif_events=_read(environ, "MININOVA_VIF_EVENTS", _switch, False),
        **real_services(environ),
    )


def _flow_port(environ: Mapping[str, str]) -> int | None:
    asked = _read(environ, "MININOVA_FLOW_PORT", lambda value: 0 if value == "0" else _port(value), None)
    return (ports.first_free(FIRST_FLOW_PORT) if asked is None else asked) or None


def real_services(environ: Mapping[str, str]) -> dict[str, Any]:
    """Choose the ports of a real Keystone and Glance, for those that are asked for.

    :raises StackError: when Glance would have no Keystone
    """
    keystone = _read(environ, "MININOVA_IDENTITY", _one_of("standin", "keystone"), "standin") == "keystone"
    glance = _read(environ, "MININOVA_IMAGE", _one_of("standin", "glance"), "standin") == "glance"
    if glance and not keystone:
        raise StackError(
            "MININOVA_IMAGE=glance is let in by a real Keystone only: set MININOVA_IDENTITY=keystone, too."
        )
    chosen = {}
    if keystone:
        asked = _read(environ, "MININOVA_KEYSTONE_PORT", _port, None)
        chosen["keystone_port"] = asked or ports.first_free(FIRST_KEYSTONE_PORT)
    if glance:
        asked = _read(environ, "MININOVA_GLANCE_PORT", _port, None)
        chosen["glance_port"] = asked or ports.first_free(FIRST_GLANCE_PORT)
    return chosen


def broker(environ: Mapping[str, str]) -> str:
    """Read which broker is to be run.

    :raises StackError: when there is none of this name
    """
    return str(_read(environ, "MININOVA_BROKER", _one_of(*KINDS), RABBITMQ))


def _counted(computes: int, hosts: int) -> dict[str, str]:
    """Name so many computes, and the hosts of each: names of their own, so that a home can be started either way."""
    numbers = range(1, computes + 1)
    if hosts == 1:
        return {f"host-{number}": f"host-{number}" for number in numbers}
    return {f"rack-{number}": f"rack-{number}-[1-{hosts}]" for number in numbers}


def _read(environ: Mapping[str, str], name: str, convert: Callable[[str], Any], default: Any) -> Any:
    if not (value := environ.get(name, "").strip()):
        return default
    try:
        return convert(value)
    except ValueError as error:
        raise StackError(f"{name} must be {error}, not {value!r}.") from None


def _port(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 65_536:
        raise ValueError("a port number from 1 to 65535")
    return int(value)


def _count(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 1_000:
        raise ValueError("a number from 1 to 999")
    return int(value)


def _host_count(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) <= host_lists.MOST:
        raise ValueError(f"a number of hosts from 1 to {host_lists.MOST}")
    return int(value)


def _switch(value: str) -> bool:
    if value not in ("0", "1"):
        raise ValueError("0 or 1")
    return value == "1"


def _file(value: str) -> str:
    if not Path(value).is_file():
        raise ValueError("the path of a file")
    return str(Path(value).absolute())


def _folder(value: str) -> str:
    if not Path(value).is_dir():
        raise ValueError("the path of a folder")
    return str(Path(value).absolute())


def _one_of(*known: str) -> Callable[[str], str]:
    def convert(value: str) -> str:
        if value not in known:
            raise ValueError(" or ".join(known))
        return value

    return convert


_SCHEMES = ("amqp", "amqps", "kombu+amqp", "kombu+redis")


def _broker_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "kombu+filesystem" and (parts.scheme not in _SCHEMES or not parts.hostname):
        raise ValueError("a URL such as amqp://USER:PASSWORD@HOST:5672/")
    return value


def _db_url(value: str) -> str:
    if "://" not in value:
        raise ValueError("a URL such as postgresql+psycopg://USER:PASSWORD@HOST/NAME")
    return value


# ---- what is remembered in the home


def save(home: Home, settings: Settings) -> None:
    """Write down what a start was asked for, so that the commands that follow know it."""
    _keep(home, {**_kept(home), **asdict(settings)})


def count_start(home: Home) -> int:
    """Count the starts that succeeded, this one included."""
    kept = _kept(home)
    kept["starts"] = kept.get("starts", 0) + 1
    _keep(home, kept)
    return int(kept["starts"])


def load(home: Home) -> Settings:
    """Read what the last start was asked for.

    :raises StackError: when the home holds no stack
    """
    kept = _kept(home)
    if "api_port" not in kept:
        raise StackError(f"No stack was ever started in {home.root}: tools/stack.sh starts one there.")
    fields = {name: kept[name] for name in Settings.__dataclass_fields__ if name in kept}
    return Settings(**fields)


def add_compute(home: Home, name: str) -> None:
    """Remember one compute more, for this run and for later ones."""
    kept = _kept(home)
    _keep(home, {**kept, "computes": {**kept["computes"], name: name}, "added_computes": [*added_computes(home), name]})


def added_computes(home: Home) -> list[str]:
    """Name the computes that were added to this home beside the counted ones."""
    return list(_kept(home).get("added_computes", []))


def _kept(home: Home) -> dict[str, Any]:
    return dict(json.loads(home.settings.read_text())) if home.is_ours else {}


def _keep(home: Home, kept: Mapping[str, Any]) -> None:
    home.write_private(home.settings, json.dumps(kept, indent=2) + "\n")
