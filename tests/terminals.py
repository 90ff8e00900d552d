"""Plays a tutorial as its reader would: writes its files, changes them, and types its commands into terminals."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import tutorial
from programs import PATIENCE, Program
from tutorial import Step

# What is typed at a running program, and the signal that it is.
KEYS = {"^C": signal.SIGINT, "^Z": signal.SIGSTOP, "kill -9 %1": signal.SIGKILL}


class Terminals:
    """One folder, and a terminal for each name: its program runs on while the tutorial does.

    :param instead: what is written and typed in place of what the page says, as the broker's address
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], instead: Mapping[str, str]) -> None:
        self._folder, self._environment, self._instead = folder, environment, instead
        self._programs: dict[str, Program] = {}
        self._seen: dict[str, set[int]] = {}  # which lines of each the tutorial has shown

    def play(self, step: Step) -> None:
        """Do one step, and see what the page says that one sees."""
        getattr(self, f"_{step.what}")(step)
        for terminal, line in step.output:
            if terminal:
                self._see(terminal, line)

    def _write(self, step: Step) -> None:
        (self._folder / step.where).write_text(self._here(step.text))

    def _edit(self, step: Step) -> None:
        path = self._folder / step.where
        path.write_text(tutorial.edited(path.read_text(), self._here(step.text)))

    def _type(self, step: Step) -> None:
        if not step.where:
            self._run(step)
        elif step.text in KEYS:
            self._press(step)
        else:
            command = ["bash", "-c", f"exec {self._here(step.text)}"]
            self._programs[step.where] = Program(command, self._folder, self._environment)
            self._seen[step.where] = set()

    def _run(self, step: Step) -> None:
        done = subprocess.run(
            ["bash", "-c", self._here(step.text)], cwd=self._folder, env=self._environment, timeout=PATIENCE,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        shown = tutorial.as_shown(line for terminal, line in step.output if not terminal)
        assert shown.fullmatch(done.stdout), f"{step} prints\n{done.stdout}"

    def _press(self, step: Step) -> None:
        program, number = self._programs[step.where], KEYS[step.text]
        program.send(number)
        if number != signal.SIGSTOP:
            program.wait()

    def _see(self, terminal: str, line: str) -> None:
        """Wait for a line that was not seen before; handlers run side by side, so others may come before it."""
        program, seen, shown = self._programs[terminal], self._seen[terminal], tutorial.as_shown([line])
        matching = lambda: {n for n, text in enumerate(program.lines) if shown.fullmatch(f"{text}\n")} - seen  # noqa: E731
        program.wait_until(matching, f"“{line}”")
        seen.add(min(matching()))

    def _here(self, text: str) -> str:
        for theirs, ours in self._instead.items():
            text = text.replace(theirs, ours)
        return text

    def close(self) -> None:
        """End what still runs."""
        for program in self._programs.values():
            program.kill()
