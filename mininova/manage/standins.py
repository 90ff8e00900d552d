"""Which stand-ins this cloud has: api-paste.ini names them, and what mininova-manage needs of each.

A section ``[standin:NAME]``, which Paste itself passes over, has two lines of the form ``module:name``: ``schema``
leads to a stand-in's tables, ``bootstrap`` to the function that puts the first rows into them.  The sections are taken
in the order of the file.  Nothing in mininova imports a stand-in: a cloud with a real Keystone drops its section.
"""

import configparser
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.db.schema import Schema
from mininova.db.session import Database
from mininova.plugins.paste import paste_file

#: Something that bootstrap makes: what it is, such as ``user admin``; its id; and whether it was made just now.
Made = tuple[str, str, bool]


class Bootstrap(Protocol):
    """Makes what a new cloud needs of one service; what is there stays as it is."""

    def __call__(
        self, db: Database, conf: ConfigOpts, passwords: Mapping[str, str | None], there: Mapping[str, str]
    ) -> list[Made]:
        """Make what is missing.

        :param passwords: user → the password that the operator gave it, if any
        :param there: what the stand-ins before this one made or found → its id
        """
        ...


class StandIn(NamedTuple):
    """What mininova-manage needs of a stand-in."""

    schema: Schema
    bootstrap: Bootstrap


def installed(conf: ConfigOpts) -> list[StandIn]:
    """List the stand-ins of this cloud.

    :raises errors.ConfigError: when api-paste.ini cannot be read, or one of its lines leads nowhere
    """
    path = paste_file(conf.api.paste_config)
    parser = configparser.RawConfigParser(strict=False)
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise errors.ConfigError(problem=f"[api] paste_config {path} cannot be read: {error.strerror}") from None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise errors.ConfigError(problem=f"[api] paste_config {path} is no Paste file: {error}") from None
    found = [(name, parser[name]) for name in parser.sections() if name.startswith("standin:")]
    return [StandIn(*(_named(path, name, section, key) for key in StandIn._fields)) for name, section in found]


def _named(path: Path, name: str, section: Mapping[str, str], key: str) -> Any:
    """Find what a line of a section names."""
    try:
        return pkgutil.resolve_name(section[key])
    except KeyError:
        raise errors.ConfigError(problem=f"[{name}] in {path} has no line {key} = module:name") from None
    except (ImportError, AttributeError, ValueError) as error:
        raise errors.ConfigError(problem=f"{key} = {section[key]} of [{name}] in {path}: {error}") from error
