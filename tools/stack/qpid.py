"""A private Qpid Broker-J: its files, and the programs that start and administer it.

It is a node like broker.Node, in one folder and on 127.0.0.1 only: on one port for AMQP and on one for its HTTP
interface, which mininova.manage.qpidctl uses, with a user and a password that nothing else has.

Each start reads users, rights and limits anew from definitions.json, as RabbitMQ does.  Exchanges, queues and messages
are the virtual host's, which keeps them in its own files: what the definitions say of them makes it, when there is none
yet, and later ones are made while it runs.
"""

import json
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mininova.rpc.envelope import MAX_BODY_BYTES
from mininova.trust.broker import qpid
from stack import broker, ports, processes

#: Where tools/install-qpid.sh puts its jars.
JARS = Path(sys.prefix, "share/qpid-broker-j")

#: How much later than it should a pause ends at most, in ms: Broker-J looks as often as this.
HOUSEKEEPING_MS = 500

#: What a connection may open: a reader has a channel of its own, and the conductor one for each compute.
_MOST_CHANNELS = 65_535

_KEEPER = "keeper"  # the user of the HTTP interface
_STARTER = Path(__file__).with_name("qpid_start.py")


def find_jars(environ: Mapping[str, str]) -> Path | None:
    """Find the folder of Broker-J's jars; None when there is none, or no Java."""
    folder = Path(environ.get("QPID_JARS") or JARS)
    return folder if shutil.which("java") and any(folder.glob("qpid-broker-core-*.jar")) else None


@dataclass(frozen=True)
class Node(broker.Node):
    """One private node.

    :param server: the folder of its jars
    """

    tool: ClassVar[str] = "qpidctl"

    def write(self, environ: Mapping[str, str]) -> None:
        """Write what the node reads, and the scripts that start and administer it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        management, password = ports.pick(), secrets.token_urlsafe(24)
        self._write(broker.DEFINITIONS, json.dumps(self._with_what_was_added(), indent=2))
        self._write("node.json", json.dumps(self._node(management, password), indent=2))
        self._write("password", password)
        plain = processes.plain_environment(environ)
        self._script(broker.START, plain, [sys.executable, "-B", str(_STARTER), str(self.folder), str(self.server)])
        where = ["--url", f"http://{ports.LOOPBACK}:{management}", "--user", _KEEPER]
        secret = ["--password-file", str(self.folder / "password")]
        self._script(self.tool, plain, [sys.executable, "-m", "mininova.manage.qpidctl", *where, *secret])

    def _node(self, management: int, password: str) -> dict[str, Any]:
        """Give what is the node's own, and not in the definitions."""
        keeper = {"name": _KEEPER, "type": "managed", "password": password}
        return {
            "name": "mininova",
            "modelVersion": "9.0",
            "authenticationproviders": [_plain_users("keepers", "Plain", [keeper])],
            "ports": [self._amqp(), {**_port("http", management, "keepers"), "type": "HTTP", "protocols": ["HTTP"]}],
            "plugins": [{"name": "http", "type": "MANAGEMENT-HTTP", "httpBasicAuthenticationEnabled": True}],
            **(self._stores() if self.tls else {}),
        }

    def _amqp(self) -> dict[str, Any]:
        aliases = [{"name": name, "type": name} for name in ("nameAlias", "defaultAlias")]
        over_tls = {"transports": ["SSL"], "keyStore": "own", "trustStores": ["clients"]}
        return {
            **_port("amqp", self.port, "users"),
            "type": "AMQP",
            "protocols": ["AMQP_0_9_1"],
            "context": {
                "qpid.port.sessionCountLimit": str(_MOST_CHANNELS),
                "qpid.max_message_size": str(MAX_BODY_BYTES),
            },
            "virtualhostaliases": aliases,
            **({**over_tls, "needClientAuth": self.tls.wanted} if self.tls else {}),
        }

    def _stores(self) -> dict[str, Any]:
        from stack import certificates  # a library that starts slowly, and few stacks want it

        """Name the files of its certificate, and of those that it trusts; it reads no key of ours but in a store."""
        assert self.tls is not None
        store, password = self.folder / "own.p12", secrets.token_urlsafe(24)
        certificates.store(self.tls, store, password)
        own = {"storeUrl": store.as_uri(), "keyStoreType": "pkcs12", "password": password}
        clients = {"certificatesUrl": self.tls.ca.as_uri()}
        return {
            "keystores": [{"name": "own", "type": "FileKeyStore", **own}],
            "truststores": [{"name": "clients", "type": "NonJavaTrustStore", **clients}],
        }


def configuration(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Make Broker-J's initial configuration of what is the node's own and what the definitions say."""
    virtual_host = {
        "type": "ProvidedStore",
        "context": {"virtualhost.housekeepingCheckPeriod": str(HOUSEKEEPING_MS), **qpid.limits(definitions)},
        "exchanges": qpid.exchanges(definitions),
        "queues": qpid.queues(definitions),
    }
    rules = [qpid.administrator(_KEEPER), *qpid.rules(definitions)]
    limits = qpid.connection_limits(definitions)
    return {
        **node,
        "authenticationproviders": [
            *node["authenticationproviders"],
            _plain_users("users", "SCRAM-SHA-256", qpid.users(definitions)),
        ],
        "accesscontrolproviders": [{"name": "rights", "type": "RuleBased", "defaultResult": "DENIED", "rules": rules}],
        "brokerconnectionlimitproviders": [{"name": "limits", "type": "RuleBased", "rules": limits}],
        "virtualhostnodes": [
            {
                "name": "default",
                "type": "DERBY",
                "defaultVirtualHostNode": "true",
                "virtualHostInitialConfiguration": json.dumps(virtual_host),
            }
        ],
    }


def _plain_users(name: str, kind: str, users: qpid.Objects) -> dict[str, Any]:
    """Describe users who may say their passwords on a connection without TLS, which does not leave this machine."""
    return {"name": name, "type": kind, "secureOnlyMechanisms": [], "users": users}


def _port(name: str, port: int, users: str) -> dict[str, Any]:
    return {"name": name, "port": port, "bindingAddress": ports.LOOPBACK, "authenticationProvider": users}
