"""Files of rules in YAML that a process follows: it reads one again when it changes, while it runs.

So the fake hypervisor follows how it is to behave (virt/behaviour.py), and every service which messages it is to lose
(service/broker.py).  A bad file is refused with its line and its field.
"""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar, get_type_hints

import msgspec
import yaml

from mininova import errors

LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Followed(Generic[T]):
    """What a file says, read again when it changes.

    A file that turns bad while it is followed is logged once, and the last good one stays in force.

    :param read: makes something of the file, and raises errors.ConfigError
    :param follower: who goes by it, for the log
    :raises errors.ConfigError: when the file is bad from the start
    """

    def __init__(self, path: Path, read: Callable[[Path], T], follower: str) -> None:
        self._path, self._read, self._follower = path, read, follower
        self._lock = threading.Lock()
        self._seen = _stamp(path)
        self._said = read(path)

    def now(self) -> T:
        """Give what the file says now: the same thing until it changes."""
        with self._lock:
            if (stamp := _stamp(self._path)) != self._seen:
                self._seen = stamp
                self._look_again()
            return self._said

    def _look_again(self) -> None:
        try:
            self._said = self._read(self._path)
            LOG.info("%s has read %s again", self._follower, self._path)
        except errors.ConfigError as error:
            LOG.error("%s goes by the rules it has, since the file is bad: %s", self._follower, error)


def read(path: Path, into: type[T]) -> T:
    """Read a file of rules; one that has nothing else may be just the list of them.

    :param into: a struct with a field ``rules``
    :raises errors.ConfigError: quoting the line, and the field if it is a field that is wrong
    """
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        data = loader.construct_document(root) if root else {}
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(problem=f"the file of rules {path} cannot be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise errors.ConfigError(problem=f"{path}, line {line}: this is no YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise errors.ConfigError(problem=f"{path}: this is no YAML: {error}") from None
    try:
        if isinstance(data, list):
            data = {"rules": msgspec.convert(data, get_type_hints(into)["rules"])}
        return msgspec.convert(data, into)
    except msgspec.ValidationError as error:
        complaint, _, field = str(error).partition(" - at ")
        steps = [step.strip(".[]") for step in re.findall(r"\.\w+|\[\d+\]", field)]
        name = field.strip("`$").removeprefix(".") or "the file"
        raise errors.ConfigError(problem=f"{path}, line {_line(root, steps)}: {name}: {complaint}") from None


def _line(node: yaml.Node | None, steps: Sequence[str]) -> int:
    """Find the line of a field by its path from the root, or of the nearest part that there is."""
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[int(step)]
    return node.start_mark.line + 1 if node else 1


def _stamp(path: Path) -> tuple[int, int] | None:
    """Give what changes when a file does; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
