"""A cloud that is one process, as a whole: reset, saved and loaded, at a moment when nothing runs.

To reset is to load what the cloud was when it started.  Requests wait at the door, the hypervisors end what they do,
and so the requests inside end, too.  Then the instances are being deleted, so that each step of an operation gives way;
their messages go, and what is in hand comes to rest.  Only then is everything put back: so nothing comes late that
would make a part of the past again.  Where only one project is reset, what is done for others goes on, and is not
waited for.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from mininova import errors
from mininova.control.door import Door
from mininova.db import whole
from mininova.db.session import Database
from mininova.rpc.transports.base import Message
from mininova.virt.guests import Guest

LOG = logging.getLogger(__name__)

PATIENCE_S = 30.0  # for what is under way to end

Which = Callable[[Message], bool]

_TABLES = """
CREATE TABLE control_guests (host TEXT, guest BLOB);
CREATE TABLE control_files (name TEXT, data BLOB);
"""


class Broker(Protocol):
    """The broker in the memory of the process."""

    def drop(self, which: Which) -> None:
        """Lose the casts for which that is true."""

    def come_to_rest(self, patience: float, which: Which) -> bool:
        """Wait these seconds at most until no such message is in a queue that is read, or in hand; tell whether so."""


class Hypervisor(Protocol):
    """The fake hypervisor of one host."""

    def guests(self) -> list[Guest]:
        """Give what it runs."""

    def halt(self, which: Callable[[str], bool]) -> None:
        """End the operations on some guests, by their uuids, and those that begin from now on."""

    def become(self, guests: Sequence[Guest]) -> None:
        """Have these guests and no others."""

    def lose(self, uuids: Collection[str]) -> None:
        """Have some guests no more."""


class World:
    """The cloud.

    :param hypervisors: by host
    :param files: the folder with the data of images
    """

    def __init__(self, db: Database, broker: Broker, hypervisors: dict[str, Hypervisor], files: Path) -> None:
        self._db, self._broker, self._hypervisors, self._files = db, broker, hypervisors, files
        self._door = Door()
        self._start: sqlite3.Connection | None = None

    def passing(self) -> AbstractContextManager[None]:
        """Let one request in, in a block."""
        return self._door.passing()

    def remember(self) -> None:
        """Have this be what the cloud was when it started."""
        self._start = self._copy()

    def reset(self, project: str | None = None) -> None:
        """Have the cloud as it was when it started; or nothing of a project that there was not then.

        :raises errors.InvalidInput: when there is no such project, and nothing of one
        :raises errors.Conflict: when something that is under way does not end; it can be tried again
        """
        start = self._start
        assert start is not None, "remember() comes before"
        if project is not None:
            with self._db.read() as tx:
                if not whole.knows(tx, project):
                    raise _refused("project", f"there is no project with the id {project}.")
        with self._at_rest(start, project) as gone:
            if project is None:
                self._become(start)
            else:
                with self._db.write() as tx:
                    whole.forget_project(tx, start, project, gone)
                for hypervisor in self._hypervisors.values():
                    hypervisor.lose(gone)
        LOG.info("the cloud was reset: %s", project or "all of it")

    def save(self, path: Path) -> None:
        """Write all to a file, when nothing is under way.

        :raises errors.Conflict: when something is, and does not end
        :raises errors.InvalidInput: when the file cannot be written
        """
        with self._door.shut():
            self._door.until_empty(PATIENCE_S)
            self._rest(_any)
            copy = self._copy()
        draft = Path(f"{path}.part")
        try:
            draft.unlink(missing_ok=True)
            try:
                with sqlite3.connect(draft) as file:
                    copy.backup(file)
                file.close()
                os.replace(draft, path)
            finally:
                draft.unlink(missing_ok=True)
        except (OSError, sqlite3.Error) as error:
            raise _refused("path", f"{path}: {error}") from None
        finally:
            copy.close()

    def load(self, path: Path) -> None:
        """Have the cloud as it was when it was saved to a file.  A reset still leads to the start.

        :raises errors.InvalidInput: when the file is none of ours, or of a cloud with other hosts
        :raises errors.Conflict: when something that is under way does not end
        """
        try:
            if not path.is_file():  # a pipe would be waited for
                raise _refused("path", f"{path}: no such file")
            saved = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise _refused("path", f"{path}: {error}") from None
        with closing(saved):
            try:
                problem = self._problem_of(saved)
            except (sqlite3.Error, msgspec.MsgspecError, TypeError) as error:
                problem = str(error)
            if problem:
                raise _refused("path", f"{path}: {problem}")
            with self._at_rest(saved, None):
                self._become(saved)
        LOG.info("the cloud was loaded from %s", path)

    def _problem_of(self, saved: sqlite3.Connection) -> str | None:
        """Say why a file cannot be loaded, if so; all of it is looked at before anything is changed."""
        (whether,) = saved.execute("PRAGMA quick_check(1)").fetchone()
        if whether != "ok" or saved.execute("PRAGMA foreign_key_check").fetchone():
            return "it is damaged"
        with self._db.read() as tx:
            if not whole.is_alike(tx, saved):
                return "another version has saved it"
        for host, guest in saved.execute("SELECT host, guest FROM control_guests"):
            if host not in self._hypervisors:
                return f"it has guests on {host}, a host that is not here"
            msgspec.json.decode(guest, type=Guest)
        no_data = "SELECT 1 FROM control_files WHERE (typeof(name), typeof(data)) != ('text', 'blob')"
        if saved.execute(no_data).fetchone():
            return "it is damaged"
        if any(Path(name).name != name or name == ".." for (name,) in saved.execute("SELECT name FROM control_files")):
            return "it has data of images outside of their folder"
        return None

    @contextmanager
    def _at_rest(self, saved: sqlite3.Connection, project: str | None) -> Iterator[set[str]]:
        """Have nothing run in a block, and none of the instances that there were not then; gives their uuids."""
        with self._door.shut():
            try:
                with self._db.read() as tx:
                    new = whole.new_instances(tx, saved, project)
                self._halt(new.__contains__ if project else _any)
                self._door.until_empty(PATIENCE_S)
                with self._db.write() as tx:
                    gone = whole.delete_instances(tx, saved, project)
                self._halt(gone.__contains__ if project else _any)
                concerns = _that_name([project, *gone]) if project else _any
                self._broker.drop(concerns)
                self._rest(concerns)
                self._broker.drop(concerns)
                yield gone
            finally:
                self._halt(lambda uuid: False)

    def _halt(self, which: Callable[[str], bool]) -> None:
        for hypervisor in self._hypervisors.values():
            hypervisor.halt(which)

    def _rest(self, which: Which) -> None:
        if not self._broker.come_to_rest(PATIENCE_S, which):
            raise errors.Conflict(f"Operations are under way, and did not end in {PATIENCE_S:.0f} s.")

    # ---- all of it as one database

    def _copy(self) -> sqlite3.Connection:
        copy = whole.copy(self._db)
        copy.executescript(_TABLES)
        guests = ((host, msgspec.json.encode(it)) for host, its in self._hypervisors.items() for it in its.guests())
        copy.executemany("INSERT INTO control_guests VALUES (?, ?)", guests)
        data = ((file.name, file.read_bytes()) for file in self._data())
        copy.executemany("INSERT INTO control_files VALUES (?, ?)", data)
        copy.commit()
        return copy

    def _become(self, saved: sqlite3.Connection) -> None:
        with self._db.write() as tx:
            whole.restore(tx, saved)
        guests: dict[str, list[Guest]] = {host: [] for host in self._hypervisors}
        for host, guest in saved.execute("SELECT host, guest FROM control_guests"):
            guests[host].append(msgspec.json.decode(guest, type=Guest))
        for host, hypervisor in self._hypervisors.items():
            hypervisor.become(guests[host])
        there = {file.name for file in self._data()}
        names = {name for (name,) in saved.execute("SELECT name FROM control_files")}
        for name in there - names:
            (self._files / name).unlink(missing_ok=True)
        for name in names - there:
            ((data,),) = saved.execute("SELECT data FROM control_files WHERE name = ?", (name,))
            (self._files / name).write_bytes(data)

    def _data(self) -> list[Path]:
        return [file for file in self._files.glob("*") if file.is_file()]


def _refused(field: str, problem: object) -> errors.InvalidInput:
    return errors.InvalidInput(f"Invalid input for field/attribute {field}: {problem}")


def _any(_: object) -> bool:
    return True


def _that_name(words: Collection[str]) -> Which:
    """Give what tells whether a message has one of some words in it."""
    named = [word.encode() for word in words]
    return lambda message: any(word in message.body for word in named)
