"""Programs that run beside a test: what they write is awaited line by line, and in the end none is left."""

import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PATIENCE = 30.0  # seconds for what takes a moment


class Program:
    """One process; what it writes, to either output, is read as it comes.

    :ivar lines: all of it so far
    """

    def __init__(self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self._came = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._came:
                    self.take(line.rstrip("\n"))
                    self._came.notify_all()

    def take(self, line: str) -> None:
        """Take one line, before those who wait are told."""
        self.lines.append(line)

    def wait_until(self, come: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Wait until what it wrote makes something true.

        :param what: tells whoever reads of a failure
        """
        with self._came:
            came = self._came.wait_for(come, patience)
        assert came, f"no sign of {what} in:\n" + "\n".join(self.lines[-30:])

    def wait_for(self, text: str) -> None:
        """Wait for a line that has this text in it."""
        self.wait_until(lambda: any(text in line for line in self.lines), text)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait until it is gone, and give its exit code."""
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def end(self) -> int:
        """Ask it to stop, wait until it has, and give its exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it at once, if it is still there."""
        self.send(signal.SIGKILL)
        self.wait()
