"""What a start looks like in the terminal: one line a step, with the time since the start."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class Progress:
    """The lines of one command."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began = time.monotonic()

    def say(self, text: str = "") -> None:
        """Print a line as it is."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def done(self, text: str) -> None:
        """Print what is true now, and when it became so."""
        elapsed = time.monotonic() - self._began
        self.console.print(f"[cyan]{elapsed:6.1f} s[/]  {escape(text)}", highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, doing: str) -> Iterator[Callable[[str], None]]:
        """Show what is being done until it is; the block calls what it gets with the line that stays.

        On a terminal a spinner keeps the wait company; elsewhere, in a log, the beginning gets a line of its own.
        """
        if not self.console.is_terminal:
            self.console.print(f"      …   {escape(doing)}", highlight=False, soft_wrap=True)
            yield self.done
            return
        with self.console.status(escape(doing)):
            yield self.done
