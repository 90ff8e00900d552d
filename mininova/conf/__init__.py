"""Settings: read once, checked as a whole, and passed to whoever needs them; there is no global.

``cmd`` calls load() and hands the result to constructors; tests call for_tests().  Each group is a module of
its own here, named as its section, and ``groups.READERS`` says which service reads which.  A setting comes
from a file or, for a few, from the command line; never from the environment.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from oslo_config import cfg

from mininova import errors
from mininova.conf import command_line, files, groups
from mininova.conf.values import redacted

__all__ = ["for_tests", "load", "read_files", "redacted"]


def load(service: str, argv: Sequence[str], *, version: str) -> cfg.ConfigOpts:
    """Read the command line and the files of a service.

    :param service: api, scheduler, conductor or compute
    :param argv: the arguments, without the program's name
    :raises errors.ConfigError: one sentence that quotes what is wrong, and where
    """
    arguments = command_line.parse(service, list(argv), version)
    conf = read_files(service, arguments.config_file)
    for name in command_line.SETTINGS:
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
    conf = _registered(service)
    conf([], prog=f"mininova-{service}", default_config_files=chosen, default_config_dirs=[], use_env=False)
    _check_values(service, conf)
    return conf


def for_tests(service: str, **settings: Any) -> cfg.ConfigOpts:
    """Make the settings of a service from defaults and ``**{"group.option": value}``; reads no file.

    :raises errors.ConfigError: when a value is not one the option can have
    """
    conf = _registered(service)
    conf([], prog=f"mininova-{service}", default_config_files=[], default_config_dirs=[], use_env=False)
    for name, value in settings.items():
        group, _, option = name.rpartition(".")
        _override(conf, option, group if group != "DEFAULT" else None, value, name)
    return conf


def _registered(service: str) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    for module in groups.of(service):
        if module.GROUP.name == "DEFAULT":
            conf.register_opts(module.OPTIONS)
        else:
            # A copy: the settings of a group are kept in it, and these must not reach another service's.
            conf.register_group(deepcopy(module.GROUP))
            conf.register_opts(module.OPTIONS, group=module.GROUP)
    return conf


def _override(conf: cfg.ConfigOpts, option: str, group: str | None, value: Any, said: str) -> None:
    try:
        conf.set_override(option, value, group=group or None)
    except ValueError as error:
        raise errors.ConfigError(problem=f"{said}: {files.plainly(error)}") from None


def _check_values(service: str, conf: cfg.ConfigOpts) -> None:
    """Ask for every value once: what refers to another option could not be checked before."""
    for module in groups.of(service):
        section = module.GROUP.name
        for option in module.OPTIONS:
            try:
                _ = conf[option.dest] if section == "DEFAULT" else conf[section][option.dest]
            except (cfg.Error, ValueError) as error:
                reason = files.plainly(error.__context__ or error)
                raise errors.ConfigError(problem=f"`[{section}] {option.name}`: {reason}") from None
