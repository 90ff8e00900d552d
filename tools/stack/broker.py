"""A private RabbitMQ node: its program, its files, its environment.

Everything of it lies in one folder, and it listens on 127.0.0.1 only: on one port for AMQP and on one for Erlang's
distribution, which rabbitmqctl uses.  There is no epmd: the node gets its name on the command line and its distribution
port is fixed, so no program has to look it up.  (Left to itself RabbitMQ starts an epmd, which listens on every
interface and outlives the node.)

Configuration is in Erlang's own terms (advanced.config), because translating rabbitmq.conf costs half a second at
each start.  Users, permissions, exchanges and policies are imported from definitions.json, so rabbitmqctl is not
needed either.
"""

import glob
import hashlib
import json
import os
import re
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from mininova.rpc.envelope import MAX_BODY_BYTES
from mininova.trust.broker import definitions
from mininova.trust.broker.definitions import Definitions
from stack import ports, processes, readiness
from stack.errors import StackError

#: The user of a node that only tests use: it may do everything.
USER = "mininova"

#: The programs that are written into a node's folder: one runs it in the foreground, the other asks it things.
START = "start"
TOOL = "rabbitmqctl"

#: What a node loads each time that it boots; mininova-manage adds to it (``[broker_admin] definitions_file``).
DEFINITIONS = "definitions.json"

#: Where rabbitmq-server may be.  Not on PATH: Debian's /usr/sbin/rabbitmq-server insists on a user of its own.
USUAL_PLACES = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
    "/opt/rabbitmq*/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
)

#: The channels that a connection may have; mininova's have four.
MOST_CHANNELS = 256

#: For every Erlang program in the node's environment: RabbitMQ runs a small one each minute, only to start an epmd.
NOWHERE_ELSE = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"

#: Erlang's threads would wait for more to do by turning in circles, on cores that other processes want.
SLEEPS = "+sbwt none +sbwtdcpu none +sbwtdio none"

#: What mininova-manage and conductors ask for often needs no second Erlang, which takes a second to start: erl_call,
#: which comes with it, has the node evaluate it, and says {ok, VALUE} or {error, WHY} after what was printed.
_AT_ONCE = """\
evaluate() {{
    said=$(printf '%s\\n' "$1" |
        env -i HOME={folder} PATH="$PATH" erl_call -address localhost:{distribution} -fetch_stdout -e) || exit
    case $said in
        *"{{ok, "*) printf '%s\\n' "$said"; exit ;;
        *) printf '%s\\n' "$said" >&2; exit 1 ;;
    esac
}}
given() {{
    printf 'base64:decode("%s")' "$(base64 | tr -d '\\n')"
}}
if [ "$1" = --quiet ] && command -v erl_call >/dev/null; then
    user=$(printf %s "$3" | given)
    case "$2 $#" in
        "eval 3") evaluate "$3" ;;
        "import_definitions 4") evaluate "rabbit_definitions:import_raw($(given))." ;;
        "export_definitions 5")
            said=$(evaluate 'io:format("~ts~n", [rabbit_json:encode(rabbit_definitions:all_definitions())]).') || exit
            printf '%s\\n' "$said" | sed '$d'
            exit ;;
        "delete_user 3") evaluate "rabbit_auth_backend_internal:delete_user($user, <<\\"rabbitmqctl\\">>)." ;;
        "close_all_user_connections 4")
            evaluate "rabbit_networking:close_all_user_connections($user, $(printf %s "$4" | given))." ;;
    esac
fi
"""

PRELOAD = Path(__file__).with_name("preload.erl")


def find_server(environ: Mapping[str, str]) -> Path | None:
    """Find the rabbitmq-server program, the newest where there are several; None when there is none.

    :raises StackError: when RABBITMQ_SERVER names no program
    """
    if named := environ.get("RABBITMQ_SERVER"):
        if not os.access(named, os.X_OK):
            raise StackError(f"RABBITMQ_SERVER names no program: {named}")
        return Path(named)
    for place in USUAL_PLACES:
        if found := [path for path in glob.glob(place) if os.access(path, os.X_OK)]:
            return Path(max(found, key=_version))
    return None


def _version(path: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path)]


def url(port: int, user: str, password: str, *, tls: bool = False) -> str:
    """Give the URL of a node on this machine, as one of its users."""
    return f"{'amqps' if tls else 'amqp'}://{user}:{quote(password, safe='')}@{ports.LOOPBACK}:{port}/"


@dataclass(frozen=True)
class Certificates:
    """What a node shows when it speaks TLS, and whose certificates it takes; files in PEM.

    :param cert: its own, for the name 127.0.0.1
    :param ca: the authority that signed the clients' certificates
    :param wanted: whether a client must show one
    """

    cert: Path
    key: Path
    ca: Path
    wanted: bool = False


@dataclass(frozen=True)
class Node:
    """One private node.

    :param folder: where everything of it lies
    :param server: the rabbitmq-server program
    :param port: for AMQP
    :param definitions: its users and what they may do; with any, RabbitMQ makes no guest user
    :param tls: speak AMQP over TLS only, with these
    """

    folder: Path
    server: Path
    port: int
    definitions: Definitions
    tls: Certificates | None = None
    tool: ClassVar[str] = TOOL

    def url(self, user: str, password: str) -> str:
        """How one of its users reaches it."""
        return url(self.port, user, password, tls=self.tls is not None)

    @property
    def name(self) -> str:
        """Its name among Erlang nodes: one of its own for each folder."""
        return f"mininova-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]}@localhost"

    # ---- files

    def write(self, environ: Mapping[str, str]) -> None:
        """Write what the node reads, and the scripts that start and inspect it.

        :param environ: what of the caller's environment it inherits (PATH, LANG)
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        distribution = ports.pick()
        self._write("advanced.config", _terms(self.port, self.folder / DEFINITIONS, self.tls))
        self._write(DEFINITIONS, json.dumps(self._with_what_was_added(), indent=2))
        self._write("enabled_plugins", "[].\n")
        self._write("rabbitmq-env.conf", "")
        self._write(".erlang.cookie", secrets.token_hex(20))
        plain = processes.plain_environment(environ)
        self._script(START, {**plain, **self._environment(distribution)}, [str(self.server)])
        rabbitmqctl = [str(self.server.with_name("rabbitmqctl")), "--node", self.name]
        at_once = _AT_ONCE.format(folder=shlex.quote(str(self.folder)), distribution=distribution)
        self._script(self.tool, {**plain, **self._tool_environment(distribution)}, rabbitmqctl, at_once)

    def _with_what_was_added(self) -> dict[str, Any]:
        """Give our definitions, and those that mininova-manage has added since the node was first written."""
        kept = self.folder / DEFINITIONS
        return definitions.merged(json.loads(kept.read_text()), self.definitions) if kept.exists() else self.definitions

    def _write(self, name: str, text: str, mode: int = 0o600) -> None:
        path = self.folder / name
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(text)

    def _script(self, name: str, environment: Mapping[str, str], command: list[str], before: str = "") -> None:
        """Write a program with its whole environment in it: a RABBITMQ_ or ERL_ variable of its caller changes nothing.

        Two variables come from the caller all the same: where to say that it is up, and whose process it is.

        :param before: what the script does first
        """
        given = [f'${{{key}:+"{key}=${key}"}}' for key in (readiness.VARIABLE, processes.MARK)]
        fixed = [shlex.quote(f"{key}={value}") for key, value in sorted(environment.items())]
        words = " \\\n    ".join([*fixed, *given, shlex.join(command)])
        self._write(name, f'#!/bin/sh\n{before}exec /usr/bin/env -i \\\n    {words} "$@"\n', mode=0o700)

    # ---- environment

    def _environment(self, distribution: int) -> dict[str, str]:
        """Give RabbitMQ's settings for the node: every path it would take from elsewhere points into the folder."""
        return {
            "HOME": str(self.folder),
            "ERL_AFLAGS": f'-run file script "{PRELOAD}"',
            "ERL_ZFLAGS": NOWHERE_ELSE,
            "ERL_CRASH_DUMP": str(self.folder / "erl_crash.dump"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-sname {self.name} -erl_epmd_port {distribution} {SLEEPS}",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(self.folder / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(self.folder / "schema"),
        }

    def _tool_environment(self, distribution: int) -> dict[str, str]:
        """Give what rabbitmqctl needs to find the node without an epmd, and to listen nowhere itself."""
        return {
            "HOME": str(self.folder),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_CTL_ERL_ARGS": f"-erl_epmd_port {distribution} -dist_listen false {NOWHERE_ELSE}",
        }


def _terms(port: int, definitions: Path, tls: Certificates | None) -> str:
    listeners = f'[{{"{ports.LOOPBACK}", {port}}}]'
    if tls is None:
        listening = f"{{tcp_listeners, {listeners}}}"
    else:
        listening = f"""{{tcp_listeners, []}},
  {{ssl_listeners, {listeners}}},
  {{ssl_options, [
    {{certfile, {_quoted(tls.cert)}}},
    {{keyfile, {_quoted(tls.key)}}},
    {{cacertfile, {_quoted(tls.ca)}}},
    {{verify, verify_peer}},
    {{fail_if_no_peer_cert, {str(tls.wanted).lower()}}}
  ]}}"""
    return f"""[{{rabbit, [
  {listening},
  {{max_message_size, {MAX_BODY_BYTES}}},
  {{channel_max, {MOST_CHANNELS}}},
  {{load_definitions, {_quoted(definitions)}}}
]}}].
"""


def _quoted(path: Path) -> str:
    """Write a path as a string of Erlang."""
    return json.dumps(str(path), ensure_ascii=False)


def one_user(password: str) -> Definitions:
    """Define the user of a node for tests, and the bounds of queues."""
    return definitions.together(
        node_definitions(),
        {
            "policies": definitions.places()["policies"],
            "users": [definitions.user(USER, password, tags="administrator")],
            "permissions": [{"user": USER, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
        },
    )


def node_definitions() -> Definitions:
    """Define what every node needs."""
    return {"vhosts": [{"name": "/"}]}
