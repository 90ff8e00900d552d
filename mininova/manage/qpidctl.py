"""Administers a Qpid Broker-J over HTTP, with the words of rabbitmqctl that broker_admin.py says.

``[broker_admin] command`` names it, with where the broker is and as whom it may be changed:
``python -m mininova.manage.qpidctl --url http://127.0.0.1:8080 --user keeper --password-file FILE``.

Broker-J hashes what it is given as a password while it runs, so it is given passwords: ``[broker_admin]
plain_passwords``.  Its users, rules and limits last until it stops; ``definitions_file`` has them for the next start.
"""

import argparse
import base64
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from mininova.flow import output
from mininova.trust.broker import qpid
from mininova.trust.broker.definitions import Definitions

_TIMEOUT = 30  # seconds for each request
_RULES, _LIMITS = "accesscontrolprovider/rights", "brokerconnectionlimitprovider/limits"
_HERE = "default/default"  # the virtual host, and the node of it
_NOT_FOUND = 404


class Broker:
    """One that runs.

    :param url: of its HTTP interface
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = f"{url.rstrip('/')}/api/latest"
        self._as = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"

    def define(self, definitions: Definitions) -> None:
        """Make or change users, their rules and limits, exchanges, queues and bindings."""
        for user in definitions.get("users", ()):
            name = user["name"]
            self._ask("PUT", f"user/users/{name}", {"name": name, "type": "managed", "password": user["password"]})
        if users := [user["name"] for user in definitions.get("users", ())]:
            self._replace(_RULES, users, qpid.rules(definitions))
            self._replace(_LIMITS, users, qpid.connection_limits(definitions))
        for queue in qpid.queues(definitions):
            self._make("queue", queue)
        exchanges = qpid.exchanges(definitions)
        for exchange in exchanges:  # all of them before the first binding, which may lead to another
            self._make("exchange", {field: exchange[field] for field in ("name", "type", "durable")})
        for exchange in exchanges:
            for binding in exchange["durableBindings"]:
                self._ask("POST", f"exchange/{_HERE}/{quote(exchange['name'])}/bind", binding)

    def defined(self) -> dict[str, Any]:
        """Give its users, and what is bound to its exchanges, as rabbitmqctl does; and rules, which are its own."""
        exchanges = self._ask("GET", f"exchange/{_HERE}")
        return {
            "users": [{"name": it["name"]} for it in self._ask("GET", "user/users")],
            "bindings": [
                {"source": it["name"], "destination": bound["destination"], "routing_key": bound["bindingKey"]}
                for it in exchanges
                for bound in it["bindings"]
            ],
            "rules": [{**it, "attributes": _listed(it["attributes"])} for it in self._ask("GET", _RULES)["rules"]],
        }

    def unbind(self, binding: Mapping[str, Any]) -> None:
        """Remove what is bound to an exchange, as ``defined`` gives it."""
        said = {"destination": binding["destination"], "bindingKey": binding["routing_key"]}
        self._ask("POST", f"exchange/{_HERE}/{quote(binding['source'])}/unbind", said)

    def remove(self, user: str) -> None:
        """Remove a user with its rules, and end its connections.

        :raises HTTPError: with 404, when there is none
        """
        self._ask("DELETE", f"user/users/{quote(user)}")
        for path in (_RULES, _LIMITS):
            self._replace(path, [user], [])
        self.disconnect(user)

    def disconnect(self, user: str) -> None:
        """End every connection of a user."""
        for connection in self._ask("GET", "connection"):
            if connection.get("principal") == user:
                self._ask("DELETE", f"connection/{connection['port']}/{quote(connection['name'], safe='')}")

    def _replace(self, path: str, users: Collection[str], new: qpid.Objects) -> None:
        """Put new rules in the place of those of some users."""
        kept = [rule for rule in self._ask("GET", path)["rules"] if rule["identity"] not in users]
        self._ask("POST", path, {"rules": [*kept, *new]})

    def _make(self, kind: str, thing: dict[str, Any]) -> None:
        self._ask("PUT", f"{kind}/{_HERE}/{quote(thing['name'])}", thing)

    def _ask(self, method: str, path: str, given: object = None) -> Any:
        headers = {"Authorization": self._as, "Content-Type": "application/json"}
        body = None if given is None else json.dumps(given).encode()
        request = Request(f"{self._url}/{path}", body, headers, method=method)
        with urlopen(request, timeout=_TIMEOUT) as answer:
            return json.loads(answer.read() or b"null")


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words say, and give the exit code."""
    parsed = _parser().parse_args(words)
    broker = Broker(parsed.url, parsed.user, parsed.password_file.read_text().strip())
    try:
        _do(broker, parsed)
    except HTTPError as error:
        said = "no_such_user" if error.code == _NOT_FOUND and parsed.command == "delete_user" else f"HTTP {error.code}"
        output.complain(f"{said}: {_complaint(error)}")
        return 1
    except (URLError, OSError) as error:
        output.complain(f"Qpid does not answer at {parsed.url}: {error}")
        return 1
    return 0


def _do(broker: Broker, parsed: argparse.Namespace) -> None:
    match parsed.command:
        case "import_definitions":
            broker.define(json.load(sys.stdin))
        case "export_definitions":
            output.show_json(broker.defined())
        case "remove_bindings":
            for binding in json.load(sys.stdin):
                broker.unbind(binding)
        case "close_all_user_connections":
            broker.disconnect(parsed.named)
        case "delete_user":
            broker.remove(parsed.named)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qpidctl", description="Administers a Qpid Broker-J in rabbitmqctl's words.")
    parser.add_argument("--url", required=True, help="where its HTTP interface is")
    parser.add_argument("--user", required=True, help="who may change it")
    parser.add_argument("--password-file", type=Path, required=True, help="the file that holds that user's password")
    parser.add_argument("--quiet", action="store_true", help="as rabbitmqctl takes it; it says nothing anyhow")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("import_definitions", help="make what the standard input defines").add_argument("--format")
    exported = commands.add_parser("export_definitions", help="print what is defined")
    exported.add_argument("file", choices=["-"])
    exported.add_argument("--format")
    commands.add_parser("remove_bindings", help="unbind what the standard input lists")
    for name, purpose in {"close_all_user_connections": "end them", "delete_user": "remove a user"}.items():
        command = commands.add_parser(name, help=purpose)
        command.add_argument("named", metavar="USER")
        command.add_argument("why", nargs="?")
    return parser


def _listed(attributes: dict[str, Any]) -> dict[str, list[str]]:
    """Write rules as qpid.rules() does: the broker takes lists, and gives a text where one has a single name."""
    return {field: found if isinstance(found, list) else [found] for field, found in attributes.items()}


def _complaint(error: HTTPError) -> str:
    try:
        said = json.loads(error.read())["errorMessage"]
    except (ValueError, KeyError, TypeError):
        said = error.reason
    return f"{error.geturl()}: {said}"


if __name__ == "__main__":
    sys.exit(main())
