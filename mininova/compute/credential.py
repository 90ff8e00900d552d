"""The password with which a compute logs in to the broker, and renews it (docs/adr/0019).

The first one is in the configuration file, where an operator put it.  Every further one is made up here, and no other
process ever has it: the conductors and the broker get the salted hash that RabbitMQ keeps of it.  It is in a file of
the compute's own before it is asked for, and the older ones stay there until it was good for a login.  So the compute
has a password that is good, whatever dies in between: it tries them, the newest first.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mininova import errors
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.trust.broker import definitions

LOG = logging.getLogger(__name__)

MOST_KEPT = 3  # passwords, and the one of the configuration file


class Kept(msgspec.Struct, frozen=True):
    """What is in the file.

    :param passwords: the newest first; that of the configuration file is among them
    :param hashed: the newest, when it was made here, as the broker keeps it: the same each time that it is asked for
    :param proven: whether the newest has been good for a login
    :param due_at: when the newest is to be replaced, in seconds since the epoch
    """

    passwords: list[str]
    hashed: str = ""
    proven: bool = False
    due_at: float = 0.0


class Credential:
    """The passwords of one broker user.

    It is what ``AMQPTransport(passwords=…)`` takes.

    :param file: keeps them; its folder is made when it is needed
    :param configured: the password in the configuration file
    :param lifetime: seconds after which a password is replaced; 0 replaces none
    :param clock: tells the seconds since the epoch
    """

    def __init__(self, file: Path, configured: str, *, lifetime: float, clock: Callable[[], float] = time.time) -> None:
        self._file, self._configured, self._lifetime, self._clock = file, configured, lifetime, clock
        self._guard = threading.Lock()
        self._in_use = ""
        self._kept = self._read()

    # ---- logging in

    def to_try(self) -> Sequence[str]:
        """Give the passwords that may be good, the likeliest first."""
        with self._guard:
            return tuple(self._kept.passwords)

    def worked(self, password: str) -> None:
        """Note which one was good for a login; when it is the newest, the older ones are not needed any more."""
        with self._guard:
            self._in_use, kept = password, self._kept
            if password != kept.passwords[0]:
                LOG.warning("the broker takes an older password of ours only")
            elif not kept.proven:
                due_at = self._clock() + self._lifetime * random.uniform(0.8, 1.0)
                self._kept = replace(kept, passwords=self._few(kept.passwords[:1]), proven=True, due_at=due_at)
                try:
                    self._write(self._kept)
                except OSError as error:  # what is in the file is good, too
                    LOG.error("cannot write %s: %s", self._file, error.strerror)

    # ---- renewing it

    def renew(self, conductor: ConductorAPI) -> None:
        """Have a password that is old replaced; one that was asked for, and was not good yet, is asked for again.

        The broker ends our connection when it has the new one, and the next is made with it.
        """
        hashed = self._hash_if_due()
        if not hashed:
            return
        LOG.info("compute has its password at the broker renewed")
        try:
            has = conductor.renew_password(service_context(), hashed, "")["password_hash"]
            if has != hashed:
                conductor.renew_password(service_context(), hashed, has)
        except errors.MininovaError as error:
            LOG.warning("compute asks again later for its password to be renewed: %s", error)

    def _hash_if_due(self) -> str:
        """Give the hash of the password that is to be good next, if one is due; a new one is in the file before."""
        with self._guard:
            kept = self._kept
            is_newest = self._in_use == kept.passwords[0]
            if not self._lifetime or not self._in_use or (is_newest and self._clock() < kept.due_at):
                return ""
            if is_newest or not kept.hashed:
                new = definitions.new_password()
                good = [self._in_use, *(password for password in kept.passwords if password != self._in_use)]
                kept = Kept(self._few([new, *good]), definitions.password_hash(new))
                self._write(kept)
                self._kept = kept
            return kept.hashed

    # ---- the file

    def _few(self, passwords: Sequence[str]) -> list[str]:
        """Keep the newest, and the one of the configuration file: a broker that was set up anew may know no other."""
        return list(dict.fromkeys([*passwords[:MOST_KEPT], self._configured]))

    def _read(self) -> Kept:
        """Read the file; a password of the configuration file that is not in it came later, from an operator."""
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=Kept)
        except FileNotFoundError:
            return Kept([self._configured])
        except msgspec.DecodeError as error:
            LOG.error("cannot read %s, and does without it: %s", self._file, error)
            return Kept([self._configured])
        if self._configured not in kept.passwords:
            return Kept([self._configured, *kept.passwords[:MOST_KEPT]])
        return kept

    def _write(self, kept: Kept) -> None:
        """Replace the file as a whole, for its owner's eyes only; it is on disk when this returns."""
        if not self._lifetime and not self._file.exists():
            return
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._file.with_name(f"{self._file.name}.new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)
