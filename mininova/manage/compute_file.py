"""Writes the configuration file of a compute: its broker, its user there, and what all services must have the same.

The file holds the compute's one secret, so only its owner can read it, and it is replaced as a whole.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from oslo_config.cfg import ConfigOpts

from mininova.conf import groups
from mininova.rpc.transports.kombu.brokers import PREFIX
from mininova.trust import host_lists
from mininova.trust.identities import Identity

#: The settings that a compute and its controller must have the same.
_AGREED = (
    ("DEFAULT", "control_exchange"),
    ("oslo_messaging_rabbit", "rabbit_quorum_queue"),
    ("oslo_messaging_rabbit", "ssl_ca_file"),
    ("oslo_messaging_notifications", "driver"),
    ("oslo_messaging_notifications", "topics"),
    ("flow", "enabled"),
    ("identities", "credential_lifetime"),
)
_URL = re.compile(r"^transport_url\s*=.*$", re.MULTILINE)


def url_for(conf: ConfigOpts, identity: Identity, password: str) -> str:
    """Give the URL by which an identity logs in to our broker, or brokers; a compute cannot go by plain kombu."""
    parts = urlsplit(str(conf.transport_url).removeprefix(PREFIX))
    who = f"{quote(identity.name, safe='')}:{quote(password, safe='')}"
    places = ",".join(f"{who}@{place.rpartition('@')[2]}" for place in parts.netloc.split(","))
    return str(urlunsplit(parts._replace(netloc=places)))


def check(path: Path) -> None:
    """See that the file can be written, before the broker takes a password that is nowhere else.

    :raises OSError: when it cannot
    """
    os.close(_open(draft := _draft(path)))
    draft.unlink()
    if path.exists():
        path.read_text()


def write(path: Path, conf: ConfigOpts, identity: Identity, url: str) -> None:
    """Write a new file, or change transport_url, and nothing else, in an existing one."""
    line = f"transport_url = {url.replace('$', '$$')}"
    if not path.exists():
        text = _new(conf, identity, line)
    else:
        before = path.read_text()
        text = _URL.sub(lambda _: line, before) if _URL.search(before) else f"[DEFAULT]\n{line}\n\n{before}"
    with open(_open(draft := _draft(path)), "w") as file:
        file.write(text)
    draft.replace(path)


def _draft(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _open(draft: Path) -> int:
    draft.unlink(missing_ok=True)
    return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _new(conf: ConfigOpts, identity: Identity, line: str) -> str:
    sections = {"DEFAULT": [f"host = {identity.process}", line]}
    if identity.hosts != (identity.process,):
        sections["compute"] = [f"hosts = {host_lists.write(identity.hosts)}"]
    for section, name, value in _changed(conf):
        sections.setdefault(section, []).append(f"{name} = {value}")
    text = [f"# The settings of mininova-compute as {identity.name}.  Written by mininova-manage host add."]
    for section, lines in sections.items():
        text += ["", f"[{section}]", *lines]
    return "\n".join(text) + "\n"


def _changed(conf: ConfigOpts) -> Iterator[tuple[str, str, str]]:
    """Give the settings of _AGREED that differ from their defaults: section, option and value."""
    known = groups.known()
    for section, name in _AGREED:
        group = known[section]
        value = group.value(conf, name)
        if value == group.by_name[name].default:
            continue
        if section == "oslo_messaging_notifications" and name == "driver":
            yield from ((section, name, each) for each in value)
        else:
            yield section, name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return (",".join(value) if isinstance(value, list) else str(value)).replace("$", "$$")
