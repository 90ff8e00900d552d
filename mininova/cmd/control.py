"""mininova-control: the control API of a cloud that is there for tests, from a shell.

What it does is in mininova/control: this only reads the words.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any
from urllib.error import URLError

from mininova import __version__, errors
from mininova.cmd import arguments
from mininova.control.client import Control, ControlError, in_path
from mininova.control.services import ACTIONS
from mininova.flow import output
from mininova.flow.output import Column

NAME = "mininova-control"
ENVIRONMENT = "MININOVA_CONTROL"
COUNTS = ("id", "matched", "applied")
#: The fields whose values are no text, but numbers, objects or null.
IN_JSON = frozenset({"nth", "times", "delay", "status", "headers", "metadata", "task_state", "power_state"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parsed = _parser().parse_args(argv)
    return arguments.run(NAME, lambda: _run(parsed))


def _run(parsed: argparse.Namespace) -> None:
    try:
        parsed.command(Control.of_file(_file(parsed)), parsed)
    except (ControlError, ValueError) as error:
        raise errors.InvalidInput(str(error)) from None
    except (URLError, ConnectionError) as error:
        raise errors.ConfigError(problem=f"the cloud of {_file(parsed)} does not answer: {error}") from None


def _file(parsed: argparse.Namespace) -> str:
    file: str | None = parsed.file or os.environ.get(ENVIRONMENT)
    if file is None:
        problem = f"--file or ${ENVIRONMENT} must name the control.json in the folder of mininova-cloud, or of a stack"
        raise errors.ConfigError(problem=problem)
    return file


# ---- what it can do


def _rules(control: Control, parsed: argparse.Namespace) -> None:
    said = [(rule, {name: value for name, value in rule.items() if name not in COUNTS}) for rule in control.rules()]
    rows = [{**{name: rule[name] for name in COUNTS}, "rule": what} for rule, what in said]
    columns = [Column("id"), Column("matched", right=True), Column("applied", right=True), Column("rule", _in_words)]
    output.show_list(parsed.format, columns, rows, none="There are no rules.")


def _in_words(rule: dict[str, Any]) -> str:
    return " ".join(f"{name}={_written(value)}" for name, value in rule.items() if value not in (None, {}))


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _rule(control: Control, parsed: argparse.Namespace) -> None:
    output.say(control.request("POST", "/rules", _fields(parsed.fields))["rule"]["id"])


def _delete(control: Control, parsed: argparse.Namespace) -> None:
    for path in [f"/rules/{in_path(id)}" for id in parsed.ids] or ["/rules"]:
        control.request("DELETE", path)


def _reset(control: Control, parsed: argparse.Namespace) -> None:
    control.reset(parsed.project)


def _save(control: Control, parsed: argparse.Namespace) -> None:
    control.save(parsed.path)


def _load(control: Control, parsed: argparse.Namespace) -> None:
    control.load(parsed.path)


def _state(control: Control, parsed: argparse.Namespace) -> None:
    control.set_state(parsed.server, **_fields(parsed.fields))


def _services(control: Control, parsed: argparse.Namespace) -> None:
    columns = [
        Column("name"),
        Column("service"),
        Column("state"),
        Column("pid", right=True),
        Column("actions", " ".join),
    ]
    output.show_list(parsed.format, columns, control.services(), none="There are no services.")


def _service(control: Control, parsed: argparse.Namespace) -> None:
    control.act(parsed.service, parsed.action, parsed.seconds)


def _fields(words: Sequence[str]) -> dict[str, Any]:
    """Read FIELD=VALUE; of the fields that are no text, a value that is no JSON is one, for the API to refuse."""
    fields: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise errors.InvalidInput(f"{word} is not FIELD=VALUE")
        try:
            fields[name] = json.loads(value) if name in IN_JSON else value
        except ValueError:
            fields[name] = value
    return fields


# ---- the words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(NAME, description="Control a cloud that is there for tests.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{NAME} {__version__}")
    parser.add_argument("--file", help=f"the control.json in the folder of mininova-cloud (default: ${ENVIRONMENT})")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")

    def add(name: str, command: arguments.Command, purpose: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=purpose, allow_abbrev=False)
        made.set_defaults(command=command)
        return made

    arguments.add_format(add("rules", _rules, "list the rules, and how often each matched and was applied"))
    rule = add("rule", _rule, "have requests fail, be late or lose their answer; prints the rule's id")
    rule.add_argument("fields", nargs="+", metavar="FIELD=VALUE", help="such as url='*/servers' status=503 times=2")
    add("delete", _delete, "delete rules").add_argument("ids", nargs="*", metavar="ID", help="without one: all")
    reset = add("reset", _reset, "have the cloud as it was when it started, and no rules")
    reset.add_argument("--project", metavar="ID", help="only what this project has got since")
    add("save", _save, "write all that the cloud is to a file").add_argument("path", metavar="FILE")
    add("load", _load, "have the cloud as it was when it was saved").add_argument("path", metavar="FILE")
    state = add("state", _state, "show a server in another state")
    state.add_argument("server", metavar="SERVER", help="its id")
    state.add_argument("fields", nargs="+", metavar="FIELD=VALUE", help="such as vm_state=error task_state=rebooting")
    arguments.add_format(add("services", _services, "list the services of a local stack"))
    service = add("service", _service, "kill a service of a local stack, pause it, cut it off from the broker …")
    service.add_argument("service", metavar="SERVICE", help="as services lists it")
    service.add_argument("action", metavar="ACTION", help=f"{', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}")
    service.add_argument("--seconds", type=float, help="a pause, a cut or slowness ends by itself after so many (60)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
