"""mininova's own programs in a stack: the configuration file of each, and how it is run.

The services of the controllers share mininova.conf, and each reads a file of its own after it, with its broker user; in
mininova.conf itself is the user of the operator's tools.  Each compute has a file of its own, in which there is no
database.  On a broker of others we can make no users: there all are the one user that MININOVA_BROKER_URL names.
"""

import configparser
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mininova.trust import host_lists, identities
from mininova.trust.broker import definitions as broker_definitions
from stack import broker, clouds, ports, real
from stack.brokers import KINDS
from stack.home import Home
from stack.settings import CHECKOUT, Settings
from stack.supervisor import Program

#: The name of a controller: the first is the host of api, scheduler and conductor, the others of a conductor each.
CONTROLLER = "ctl-{number}"
COMPUTE = "mininova-compute-"
CONDUCTOR = "mininova-conductor"
#: The services of the first controller, which share a configuration file with the conductors of the others.
SERVICES = ("mininova-api", "mininova-scheduler", CONDUCTOR)
FLOW = "mininova-flow"
FLOW_PAGE = "mininova-flow-serve"
WATCH = "mininova-manage-watch"
CONSOLES = "mininova-consoleproxy"
FAULTS = "faults"
BROKER = "broker"  # whichever it is

#: Seconds in which a stopping service finishes what it was doing; supervisord's patience is longer.
GRACE = 10

Sections = Mapping[str, Mapping[str, object]]


def programs(home: Home, settings: Settings) -> list[Program]:
    """List everything that a stack runs, the broker first."""
    found = [] if settings.broker_url else [Program(settings.broker, (str(home.broker / broker.START),))]
    if settings.control:
        found.append(_faults(home))
    found += real.programs(home, settings)
    found += [_service(home, name) for name in _services(settings)]
    found += [compute(home, name) for name in settings.computes]
    if settings.flow:
        found.append(_flow(home, FLOW, "collect"))
    if settings.flow_port:
        found.append(_flow(home, FLOW_PAGE, "serve"))
    if settings.console_port:
        found.append(_consoleproxy(home))
    if not settings.broker_url and KINDS[settings.broker].watched:
        found.append(_watch(home))
    return found


def names(settings: Settings) -> list[str]:
    """Name everything that a stack may run."""
    consoles = [CONSOLES] if settings.console_port else []
    computes = (COMPUTE + name for name in settings.computes)
    others = [*([FAULTS] if settings.control else []), *real.names(settings)]
    return [settings.broker, *others, *_services(settings), FLOW, FLOW_PAGE, WATCH, *consoles, *computes]


def _services(settings: Settings) -> list[str]:
    """Name the services of the controllers."""
    return [*SERVICES, *(f"{CONDUCTOR}-{number}" for number in range(2, settings.conductors + 1))]


def _binary(name: str) -> tuple[str, int]:
    """Give the command of a service of a controller, and the controller's number."""
    first, _, number = name.rpartition("-")
    return (first, int(number)) if number.isdecimal() else (name, 1)


def in_the_flow(program: str) -> str:
    """Name a service as the flow does, ``compute.host-1`` or ``conductor.ctl-2``; the broker, and "" for the rest."""
    if program in KINDS:
        return BROKER
    if program.startswith(COMPUTE):
        return f"{identities.COMPUTE}.{program.removeprefix(COMPUTE)}"
    binary, number = _binary(program)
    return f"{binary.removeprefix('mininova-')}.{CONTROLLER.format(number=number)}" if binary in SERVICES else ""


def compute(home: Home, name: str) -> Program:
    """Describe a compute."""
    return Program(COMPUTE + name, (executable("mininova-compute"), "--config-file", str(compute_file(home, name))))


def _service(home: Home, name: str) -> Program:
    return Program(name, (executable(_binary(name)[0]), *_shared_and_own(home, name)))


def _flow(home: Home, name: str, command: str) -> Program:
    """Describe what keeps the flow, or shows it: for the broker they are one user."""
    return Program(name, (executable(FLOW), command, *_shared_and_own(home, FLOW)))


def _shared_and_own(home: Home, name: str) -> list[str]:
    files = home.etc / "mininova.conf", _own_file(home, name)
    return [word for file in files for word in ("--config-file", str(file))]


def _consoleproxy(home: Home) -> Program:
    """Describe what leads users to consoles: it reads the database, and is no user of the broker."""
    return Program(CONSOLES, (executable(CONSOLES), "--config-file", str(home.etc / "mininova.conf")))


def _watch(home: Home) -> Program:
    """Describe what cuts off a compute for which our broker holds too much."""
    words = "broker", "watch", "--config-file", str(home.etc / "mininova.conf")
    return Program(WATCH, (executable("mininova-manage"), *words))


def _faults(home: Home) -> Program:
    """Describe what kills, pauses and cuts off the others for the control API."""
    return Program(FAULTS, (sys.executable, str(Path(__file__).with_name("faults.py")), str(home.root)))


def faults_socket(home: Home) -> Path:
    """Name the socket at which it is asked."""
    return home.run / "faults.sock"


def with_links(settings: Settings) -> Settings:
    """Give each service a port of its own at which it finds the private broker, where the control API may cut it off.

    A compute that is added later goes straight to the broker until the next start.
    """
    if not settings.control or settings.broker_url:
        return settings
    names = [*_services(settings), FLOW, *(COMPUTE + name for name in settings.computes)]
    return replace(settings, links={name: ports.pick() for name in names})


def metrics_ports(settings: Settings) -> dict[str, int]:
    """Give the port at which each service shows its metrics: the one that was asked for, and those after it."""
    those = [*_services(settings), *(COMPUTE + name for name in settings.computes)]
    first = settings.metrics_port
    return {} if first is None else {name: first + number for number, name in enumerate(those)}


def executable(name: str) -> str:
    """Give the path of a program of the virtual environment."""
    return str(Path(sys.executable).with_name(name))


# ---- broker users


def definitions(home: Home, settings: Settings) -> broker_definitions.Definitions:
    """Define the users of the private broker, and what they share: it needs no more to begin with."""
    computes = [identities.compute(name, host_lists.read(hosts)) for name, hosts in settings.computes.items()]
    everybody = [*map(identities.trusted, sorted(identities.TRUSTED)), *computes]
    passwords = {identity: _password(home, identity.name) for identity in everybody}
    return broker_definitions.together(
        broker.node_definitions(),
        broker_definitions.users(passwords),
        broker_definitions.places(),
        broker_definitions.lanes(computes),
    )


def _password(home: Home, user: str) -> str:
    """Give the password of a broker user.

    That of a compute is in its own file and nowhere else: ``mininova-manage host rotate`` writes a new one there.
    """
    name = user.removeprefix(f"{identities.COMPUTE}.")
    if name == user:
        return home.secret(f"broker user {user}")
    kept = configparser.RawConfigParser(strict=False)
    kept.read(compute_file(home, name))
    found = urlsplit(kept.get("DEFAULT", "transport_url", fallback=""))
    return unquote(found.password or "") if found.username == user else broker_definitions.new_password()


# ---- configuration files


# What a project may have any number of, so that a stack can be filled.
UNLIMITED = "instances", "cores", "ram", "server_groups", "server_group_members"


# What the network service tells Nova of, and how long a boot waits for that: Nova's default.
VIF_EVENTS = "notify_nova_on_port_status_changes", "notify_nova_on_port_data_changes"
VIF_TIMEOUT_S = 300


def logs_in(settings: Settings) -> bool:
    """Tell whether our services have an account of their own, as which they ask others over HTTP."""
    return settings.keystone_port is not None or settings.vif_events


def write_configuration(home: Home, settings: Settings) -> None:
    """Write the configuration files of all services."""
    first = CONTROLLER.format(number=1)
    controller: Sections = {
        "DEFAULT": {"host": first, "state_path": home.root, **_messaging(home, settings, "manage", "mininova-manage")},
        "database": {"connection": settings.db_url or f"sqlite:///{home.database}"},
        "api": {"port": settings.api_port, **_paste(home, settings)},
        **({"keystone_authtoken": real.account(home, settings, "nova")} if logs_in(settings) else {}),
        **({"network": dict.fromkeys(VIF_EVENTS, True)} if settings.vif_events else {}),
        "quota": dict.fromkeys(UNLIMITED, -1),
        "flow": {"enabled": settings.flow, **({"port": settings.flow_port} if settings.flow_port else {})},
        **_losses(home, settings),
        **_console_ports(settings),
        **_trust(home, settings),
        **({} if settings.broker_url else {"broker_admin": _broker_admin(home, settings)}),
    }
    home.write_private(home.etc / "mininova.conf", _ini(controller))
    for name in (*_services(settings), FLOW):
        home.write_private(_own_file(home, name), _ini(_own(home, settings, name)))
    for file, example in ((behaviour(home), "virt/fake-behaviour.yaml"), (losses(home), "service/losses.yaml")):
        if not file.exists():
            shutil.copyfile(CHECKOUT / "mininova" / example, file)
    for name in settings.computes:
        write_compute(home, settings, name)


def _paste(home: Home, settings: Settings) -> Mapping[str, object]:
    chosen = real.paste_file(home) if settings.keystone_port else settings.paste_config
    return {"paste_config": chosen} if chosen else {}


def _own(home: Home, settings: Settings, name: str) -> Sections:
    """Say what a service of a controller has for itself: its broker user, and on a further controller its host."""
    binary, number = _binary(name)
    host = {"host": CONTROLLER.format(number=number)} if number > 1 else {}
    own = {**host, **_messaging(home, settings, binary.removeprefix("mininova-"), name)}
    return {"DEFAULT": own, **_control(home, settings, name), **_play(home, settings, name), **_metrics(settings, name)}


def _control(home: Home, settings: Settings, name: str) -> Sections:
    """Say in the api's own file what opens the control API, and what that may change."""
    if name != SERVICES[0] or not settings.control:
        return {}
    return {"control": {
        "token": home.secret(clouds.CONTROL), "behaviour": behaviour(home), "stack": faults_socket(home)
    }}  # fmt: skip


def _losses(home: Home, settings: Settings) -> Sections:
    """Say by which file services lose messages, where the control API may have them do so."""
    return {"losses": {"file": losses(home)}} if settings.control else {}


def _play(home: Home, settings: Settings, name: str) -> Sections:
    """Say in the file of the flow how its page may change the cloud."""
    if name != FLOW or not settings.control:
        return {}
    return {"flow": {"control": home.control, "clouds": home.clouds}}


def _broker_admin(home: Home, settings: Settings) -> dict[str, object]:
    """Have what mininova-manage does to the private broker outlive the broker's disk."""
    return {
        "command": shlex.quote(str(home.broker / KINDS[settings.broker].node.tool)),
        **({"plain_passwords": True} if KINDS[settings.broker].makes_hashes else {}),
        "definitions_file": home.broker / broker.DEFINITIONS,
    }


def write_compute(home: Home, settings: Settings, name: str) -> None:
    """Write the configuration file of one compute."""
    state, hosts, user = home.hosts / name, settings.computes[name], identities.compute(name).name
    state.mkdir(mode=0o700, exist_ok=True)
    waits = {"vif_plugging_timeout": VIF_TIMEOUT_S} if settings.vif_events else {}
    of_compute = {**({} if hosts == name else {"hosts": hosts}), **waits}
    own: Sections = {
        "DEFAULT": {"host": name, "state_path": state, **_messaging(home, settings, user, COMPUTE + name)},
        **({"compute": of_compute} if of_compute else {}),
        "fake": {"behaviour": behaviour(home)},
        "flow": {"enabled": settings.flow},
        **_losses(home, settings),
        **_consoles(settings),
        **_trust(home, settings),
        **_metrics(settings, COMPUTE + name),
    }
    home.write_private(compute_file(home, name), _ini(own))


def _messaging(home: Home, settings: Settings, user: str, name: str) -> dict[str, object]:
    port = settings.links.get(name, settings.broker_port)
    private = broker.url(port, user, _password(home, user), tls=settings.tls)
    return {"transport_url": settings.broker_url or private, "graceful_shutdown_timeout": GRACE}


def _trust(home: Home, settings: Settings) -> Sections:
    """Say whose signature on the broker's certificate is believed, and whether its users tell who is who."""
    signature = {"oslo_messaging_rabbit": {"ssl_ca_file": home.ca}} if settings.tls else {}
    return {**signature, **({"identities": {"enforce": False}} if settings.broker_url else {})}


def _console_ports(settings: Settings) -> Sections:
    """Say where users reach consoles: those by VNC at the port that was asked for, serial ones at the next."""
    if (first := settings.console_port) is None:
        return {}
    return {"vnc": {"novncproxy_port": first}, "serial_console": {"serialproxy_port": first + 1}}


def _consoles(settings: Settings) -> Sections:
    """Say that guests have consoles, and their URLs."""
    if (first := settings.console_port) is None:
        return {}
    page, websocket = f"http://{ports.LOOPBACK}:{first}/vnc_auto.html", f"ws://{ports.LOOPBACK}:{first + 1}/"
    return {
        "vnc": {"enabled": True, "novncproxy_base_url": page},
        "serial_console": {"enabled": True, "base_url": websocket},
    }


def _metrics(settings: Settings, name: str) -> Sections:
    port = metrics_ports(settings).get(name)
    return {"metrics": {"port": port}} if port else {}


def _own_file(home: Home, name: str) -> Path:
    """Name the file that a service of the controller reads after the one that all of them share."""
    return home.etc / f"{name}.conf"


def compute_file(home: Home, name: str) -> Path:
    """Name the file of a compute."""
    return home.etc / f"mininova-compute-{name}.conf"


def behaviour(home: Home) -> Path:
    """Name the file that says how the fake hypervisors behave: the user's to edit, while they run."""
    return home.etc / "fake-behaviour.yaml"


def losses(home: Home) -> Path:
    """Name the file that says which messages are lost on purpose: likewise."""
    return home.etc / "losses.yaml"


def _ini(sections: Sections) -> str:
    lines = ["# Written by tools/stack.sh at each start: change the MININOVA_ variables instead.", ""]
    for section, options in sections.items():
        lines += [f"[{section}]", *(f"{name} = {_value(value)}" for name, value in options.items()), ""]
    return "\n".join(lines)


def _value(value: object) -> str:
    """Write a value as oslo.config reads it: ``$name`` would be another option's value."""
    return str(value).lower() if isinstance(value, bool) else str(value).replace("$", "$$")
