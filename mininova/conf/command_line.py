"""The command line that every service has: configuration files, and the few settings worth giving there."""

import argparse
from typing import Any, NoReturn

from oslo_config import cfg

from mininova import errors
from mininova.conf import groups

SETTINGS = ("host", "debug", "log_file")

PURPOSE = {
    "api": "Serve the REST API, with the stand-ins for Keystone and Glance beside it.",
    "scheduler": "Choose hosts for instances, and claim their room.",
    "conductor": "Lead builds for the api, and write to the database for the compute nodes.",
    "compute": "Run instances on one host, without access to the database.",
}


class _Parser(argparse.ArgumentParser):
    """An argparse parser that raises what it would have exited with."""

    def error(self, message: str) -> NoReturn:
        raise errors.ConfigError(problem=f"{message} ({self.prog} --help lists what there is)")


def parse(service: str, argv: list[str], version: str) -> argparse.Namespace:
    """Read the arguments; ``--help`` and ``--version`` answer and exit, as argparse has it.

    :raises errors.ConfigError: for anything that cannot be understood
    """
    prog = f"mininova-{service}"
    parser = _Parser(
        prog=prog,
        description=PURPOSE.get(service),
        epilog=settings_help(service),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_config_file(parser)
    parser.add_argument("--version", action="version", version=f"{prog} {version}")
    shared = groups.known()["DEFAULT"]
    for name in SETTINGS:
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, help=shared[name].help, **_kind(shared[name]))
    return parser.parse_args(argv)


def add_config_file(parser: argparse.ArgumentParser, *, environment: str = "", **options: Any) -> None:
    """Give a parser the ``--config-file`` that all programs of mininova have.

    :param environment: the variable that names the file when the command line does not
    """
    parser.add_argument(
        "--config-file",
        action="append",
        metavar="FILE",
        help="a configuration file; may be repeated, and the later one wins "
        f"(default: {'$' + environment + ', else ' if environment else ''}the one under /etc/mininova, if it is there)",
        **options,
    )


def _kind(option: cfg.Opt) -> dict[str, Any]:
    if isinstance(option, cfg.BoolOpt):
        return {"action": "store_true", "default": None}
    return {"metavar": option.dest.upper().removeprefix("LOG_")}


def settings_help(service: str) -> str:
    """List the settings that a service reads from its files: name, default, and the first sentence of the help."""
    lines = ["settings of the configuration file:"]
    for module in groups.of(service):
        lines += ["", f"  [{module.GROUP.name}]"]
        lines += [line for option in module.OPTIONS for line in _setting(option)]
    return "\n".join(lines)


def _setting(option: cfg.Opt) -> list[str]:
    default = option.sample_default or option.default
    shown = ", ".join(map(str, default)) if isinstance(default, list) else default
    sentence = (option.help or "").split(".  ")[0].rstrip(".")
    return [f"    {option.name} = {'' if shown is None else shown}".rstrip(), f"        {sentence}."]
