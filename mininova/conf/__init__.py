"""Settings: read once, checked as a whole, and passed to what needs them; there is no global.

``cmd`` calls load() and hands the result to constructors; tests call for_tests().  The options are data: messaging.py
has the groups that every service reads, groups.py the others and the table of all.  A setting comes from a file or,
for a few, from the command line; never from the environment.
"""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from oslo_config import cfg

from mininova import errors
from mininova.conf import files, groups, sample
from mininova.conf.messaging import DEFAULT
from mininova.conf.values import redacted

__all__ = ["add_config_file", "for_tests", "load", "read_files", "redacted"]

#: The settings of [DEFAULT] that the command line takes as well.
ARGUMENTS = ("host", "debug", "log_file")

PURPOSE = {
    "api": "Serve the REST API, with the stand-ins for Keystone and Glance beside it.",
    "scheduler": "Choose hosts for instances, and claim their room.",
    "conductor": "Lead builds for the api, and write to the database for the compute nodes.",
    "consoleproxy": "Lead users to the consoles of guests.",
    "compute": "Run instances on one host, without access to the database.",
}


def load(service: str, argv: Sequence[str], *, version: str) -> cfg.ConfigOpts:
    """Read the command line and the files of a service.

    :param service: api, scheduler, conductor or compute
    :param argv: the arguments, without the program's name
    :raises errors.ConfigError: one sentence that quotes what is wrong, and where
    """
    arguments = _parse(service, list(argv), version)
    conf = read_files(service, arguments.config_file)
    for name in ARGUMENTS:
        if (value := getattr(arguments, name)) is not None:
            _override(conf, name, None, value, f"--{name.replace('_', '-')}")
    return conf


def read_files(service: str, paths: Sequence[str] | None) -> cfg.ConfigOpts:
    """Read the configuration files of a service, or of a tool whose command line is its own (manage, flow).

    :param paths: a later file wins over an earlier one; None means the one under /etc, if there is one
    :raises errors.ConfigError: one sentence that quotes what is wrong, and where
    """
    chosen = list(paths) if paths else files.default_file(service)
    for path in chosen:
        files.check(service, path)
    conf = _registered(service, chosen)
    _check_values(service, conf)
    return conf


def for_tests(service: str, **settings: Any) -> cfg.ConfigOpts:
    """Make the settings of a service from defaults and ``**{"group.option": value}``; reads no file.

    :raises errors.ConfigError: when an option cannot have the value
    """
    conf = _registered(service, [])
    for name, value in settings.items():
        group, _, option = name.rpartition(".")
        _override(conf, option, group if group != "DEFAULT" else None, value, name)
    return conf


def _registered(service: str, paths: list[str]) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    for group in groups.of(service):
        if group.name == "DEFAULT":
            conf.register_opts(group.options)
        else:
            conf.register_group(cfg.OptGroup(group.name, help=group.help))
            conf.register_opts(group.options, group=group.name)
    conf([], prog=f"mininova-{service}", default_config_files=paths, default_config_dirs=[], use_env=False)
    return conf


def _override(conf: cfg.ConfigOpts, option: str, group: str | None, value: Any, said: str) -> None:
    try:
        conf.set_override(option, value, group=group or None)
    except ValueError as error:
        raise errors.ConfigError(problem=f"{said}: {files.plainly(error)}") from None


def _check_values(service: str, conf: cfg.ConfigOpts) -> None:
    """Ask for every value once: one that refers to another option could not be checked before."""
    for group in groups.of(service):
        for name, option in group.by_name.items():
            try:
                group.value(conf, name)
            except (cfg.Error, ValueError) as error:
                reason = files.plainly(error.__context__ or error)
                raise errors.ConfigError(problem=f"`[{group.name}] {option.name}`: {reason}") from None


# ---- the command line


class _Parser(argparse.ArgumentParser):
    """An argparse parser that raises where argparse exits."""

    def error(self, message: str) -> NoReturn:
        raise errors.ConfigError(problem=f"{message} ({self.prog} --help lists what there is)")


def _parse(service: str, argv: list[str], version: str) -> argparse.Namespace:
    """Read the arguments; ``--help`` and ``--version`` answer and exit, as argparse does.

    :raises errors.ConfigError: for an argument that the service does not take
    """
    prog = f"mininova-{service}"
    parser = _Parser(
        prog=prog,
        description=PURPOSE.get(service),
        epilog=sample.in_help(service),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_config_file(parser)
    parser.add_argument("--version", action="version", version=f"{prog} {version}")
    for name in ARGUMENTS:
        option = DEFAULT.by_name[name]
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, help=option.help, **_kind(option))
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
