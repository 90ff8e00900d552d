"""Checks each name and value of a configuration file before oslo.config reads it.

oslo.config ignores names that it does not know, so a typing mistake would silently leave a default in place.  Here
it is an error that quotes the option, the file, and the name that was probably meant.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path

from oslo_config import cfg

from mininova import errors
from mininova.conf import groups
from mininova.conf.values import Group, redacted

Sections = dict[str, dict[str, list[str]]]


def check(service: str, path: str) -> None:
    """Read a file, and refuse it unless this service understands all of it.

    :raises errors.ConfigError: quoting the option or section, and the file
    """
    accepted = groups.accepted_by(service)
    for section, settings in read(path).items():
        _check_section(service, section, accepted, path)
        for name, values in settings.items():
            _check_option(accepted[section], name, values, path)


def read(path: str) -> Sections:
    """Parse a file into section → option → the values it was given.

    :raises errors.ConfigError: when it is not there, or not a configuration file
    """
    sections: Sections = {}
    try:
        cfg.ConfigParser(path, sections).parse()
    except FileNotFoundError:
        raise errors.ConfigError(problem=f"there is no configuration file {path}") from None
    except OSError as error:
        raise errors.ConfigError(problem=f"the configuration file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise errors.ConfigError(problem=f"{path} is no configuration file: it is not text") from None
    except cfg.ParseError as error:
        where = f"{path}, line {error.lineno}"
        raise errors.ConfigError(problem=f"{where} cannot be understood: {redacted(str(error.line))!r}") from None
    return sections


def _check_section(service: str, section: str, accepted: Iterable[str], path: str) -> None:
    if section in accepted:
        return
    if why := groups.REFUSED.get((service, section)):
        problem = f"{path} has a section [{section}], and mininova-{service} refuses to start with it: {why}"
    elif section in groups.known():
        problem = f"{path} has a section [{section}], which mininova-{service} does not read: remove it"
    else:
        problem = f"{path} has an unknown section [{section}]{_meant(section, accepted, '[{}]')}"
    raise errors.ConfigError(problem=problem)


def _check_option(group: Group, name: str, values: list[str], path: str) -> None:
    option = group.by_name.get(name)
    if option is None:
        hint = _elsewhere(name) or _meant(name, group.by_name, "{}")
        raise errors.ConfigError(problem=f"unknown option `[{group.name}] {name}` in {path}{hint}")
    for value in values:
        if "$" in value:  # refers to another option: oslo.config checks it once that is known
            continue
        try:
            option.type(value)
        except ValueError as error:
            said = name if option.secret else f"{name} = {value}"
            raise errors.ConfigError(problem=f"`[{group.name}] {said}` in {path}: {plainly(error)}") from None


PLAINER = {
    "invalid literal for int": "that is no whole number",
    "could not convert string to float": "that is no number",
}


def plainly(error: BaseException) -> str:
    """Put in plain words what Python and oslo.config say of a value."""
    text = str(error)
    plain = next((words for start, words in PLAINER.items() if text.startswith(start)), text)
    return plain[:1].lower() + plain[1:]


def _elsewhere(name: str) -> str:
    sections = [group.name for group in groups.GROUPS if name in group.by_name]
    return f"; did you mean it to be in [{sections[0]}]?" if sections else ""


def _meant(name: str, known: Iterable[str], form: str) -> str:
    nearest = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {form.format(nearest[0])}?" if nearest else ""


def default_file(service: str) -> list[str]:
    """Name the file that a service reads without --config-file: the one under /etc, if there is one."""
    path = Path("/etc/mininova") / ("mininova-compute.conf" if service == "compute" else "mininova.conf")
    return [str(path)] if path.is_file() else []
