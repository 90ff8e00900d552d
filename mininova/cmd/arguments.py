"""What the command lines of the two tools, mininova-manage and mininova-flow, have in common."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn

from mininova import __version__, errors, rpc
from mininova.cmd import imported
from mininova.conf import add_config_file
from mininova.flow.output import FORMATS, complain, printable

#: Names the configuration file when --config-file does not, so that it need not be typed each time.
ENVIRONMENT = "MININOVA_CONFIG_FILE"

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended

Command = Callable[..., Any]
AddCommand = Callable[[str, Command | None, str], argparse.ArgumentParser]


class _Parser(argparse.ArgumentParser):
    """An argparse parser that quotes its user's words so that a terminal does not obey them."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit."""
        super().error(printable(message))


def parser(prog: str, purpose: str) -> tuple[argparse.ArgumentParser, AddCommand]:
    """Make a parser, and a function that adds a command to it: its name, what runs it, and what it does."""
    made = _Parser(prog=prog, description=purpose, allow_abbrev=False)
    made.add_argument("--version", action="version", version=f"{prog} {__version__}")
    add_config_file(made, environment=ENVIRONMENT)
    return made, adder(made)


def adder(parent: argparse.ArgumentParser) -> AddCommand:
    """Give a function that adds commands to a parser; one that nothing runs has commands of its own."""
    commands = parent.add_subparsers(metavar="COMMAND", required=True, title="commands")

    def add(name: str, command: Command | None, purpose: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=purpose, description=f"{purpose[:1].upper()}{purpose[1:]}.", allow_abbrev=False
        )
        add_config_file(made, environment=ENVIRONMENT, default=argparse.SUPPRESS)
        made.set_defaults(command=command)
        return made

    return add


def add_format(*commands: argparse.ArgumentParser, more: Collection[str] = ()) -> None:
    """Give commands that list or show something the ``-f`` of the field's clients.

    :param more: formats that they have beside those of all
    """
    others = "".join(f", or {name}" for name in more)
    purpose = f"a table for people (the default), or JSON{others}"
    for command in commands:
        command.add_argument("-f", "--format", choices=[*FORMATS, *more], default="table", help=purpose)


def config_files(parsed: argparse.Namespace) -> Sequence[str] | None:
    """Name the configuration files: those of the command line, else that of the environment, if it names one."""
    named: Sequence[str] | None = parsed.config_file
    return named or ([os.environ[ENVIRONMENT]] if os.environ.get(ENVIRONMENT) else None)


def run(prog: str, command: Callable[[], object]) -> int:
    """Run a command, and turn an error of ours into one line and an exit code.

    A terminal without a letter that a user chose gets its number instead.

    :param command: what it gives, if that is a number, is the exit code
    """
    imported()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # pytest has streams of its own
            stream.reconfigure(errors="backslashreplace")
    try:
        done = command()
        if sys.stdout is not None:  # as it is where a shell has closed it, and print() then prints nothing
            sys.stdout.flush()
    except (errors.MininovaError, rpc.RPCError) as error:
        complain(f"{prog}: {error}")
        return 2
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            print_nowhere()
            return 0
        complain(f"{prog}: {error.filename or ''}: {error.strerror}")
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    return done if isinstance(done, int) else 0


def print_nowhere() -> None:
    """Have what is printed go nowhere: the reader of our output is gone, as head(1) goes, and that is no failure."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
