"""The state folder of a stack: what lies where, that it is private, and that it is ours.

``etc`` has the configuration files, ``log`` one log a program, ``run`` the sockets, ``broker`` RabbitMQ's node,
``hosts`` what each fake host remembers, ``tls`` the certificates, if there are any; the database, images and flow
records lie beside them.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import StackError

MADE_BY = "mininova tools/stack.sh"

#: A socket's path has 108 bytes in Linux, and the longest name in ``run`` needs about 50 of them.
LONGEST_RUN_PATH = 56


class Home:
    """One state folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = root / "settings.json"
        self.etc = root / "etc"
        self.logs = root / "log"
        self.broker = root / "broker"
        self.hosts = root / "hosts"
        self.tls = root / "tls"
        self.ca = self.tls / "ca.pem"
        self.database = root / "mininova.sqlite"
        self.openrc = root / "openrc"
        self.clouds = root / "clouds.yaml"
        self.control = root / "control.json"

    @property
    def id(self) -> str:
        """Eight letters that tell this home from any other."""
        return hashlib.sha256(os.fsencode(self.root)).hexdigest()[:8]

    @property
    def is_ours(self) -> bool:
        """Whether a stack made this folder: only then is anything in it ours to change or remove."""
        try:
            return bool(json.loads(self.settings.read_text())["made_by"] == MADE_BY)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    @property
    def run(self) -> Path:
        """The folder of the sockets: in the home, or under /tmp where the home's path is too long for a socket's."""
        inside, elsewhere = self.root / "run", Path(f"/tmp/mininova-{os.getuid()}-{self.id}")
        return inside if len(os.fsencode(inside)) <= LONGEST_RUN_PATH else elsewhere

    def log(self, name: str) -> Path:
        """Name the log of a program."""
        return self.logs / f"{name}.log"

    # ---- making it

    def create(self) -> None:
        """Make the folder and those in it, for this user's eyes only.

        :raises StackError: when it holds what is not ours, or cannot be made
        """
        try:
            if self.root.exists() and any(self.root.iterdir()) and not self.is_ours:
                raise StackError(f"{self.root} holds other things: set MININOVA_HOME to a folder that is empty or new.")
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
            if not self.is_ours:
                self.write_private(self.settings, json.dumps({"made_by": MADE_BY}))
            for folder in (self.etc, self.logs, self.broker, self.hosts):
                folder.mkdir(exist_ok=True)
            self._create_run()
        except OSError as error:
            raise StackError(f"MININOVA_HOME {self.root} cannot be used: {error.strerror}.") from None

    def _create_run(self) -> None:
        """Make the folder of the sockets; one of that name that another user put in a shared place is refused."""
        self.run.mkdir(mode=0o700, exist_ok=True)
        if self.run.is_symlink() or self.run.stat().st_uid != os.getuid():
            raise StackError(f"{self.run} belongs to another user: set MININOVA_HOME to a shorter path.")
        self.run.chmod(0o700)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands from changing this stack meanwhile.

        :raises StackError: when one is at it already
        """
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise StackError(f"Another tools/stack.sh or unstack.sh is at work in {self.root}.") from None
        finally:
            os.close(folder)

    def write_private(self, path: Path, text: str) -> None:
        """Write a file that only this user may read, whole or not at all."""
        draft = path.with_name(path.name + ".new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        draft.replace(path)

    def secret(self, name: str) -> str:
        """Give the secret of this name, made up when it is first asked for."""
        path = self.root / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(18)
            self.write_private(path, json.dumps(known, indent=2) + "\n")
        return known[name]

    # ---- removing it

    def remove(self) -> None:
        """Remove the folder and everything in it.

        :raises StackError: when it is not a stack's
        """
        if not self.is_ours:
            raise StackError(f"{self.root} was not made by tools/stack.sh: it is left as it is.")
        shutil.rmtree(self.run, ignore_errors=True)
        shutil.rmtree(self.root)
