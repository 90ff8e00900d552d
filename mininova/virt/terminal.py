"""The terminal at which a viewer of a console sits: what the fake guest writes, and a login that lets no one in.

A guest's console is computed (console.py), so a terminal reads it anew when it is told that the guest has changed.
"""

import threading
from collections.abc import Callable

from mininova import errors

LONGEST = 256 * 1024  # characters; then the first ones are forgotten
WRONG = "\nLogin incorrect\n"


class Closed(Exception):
    """The guest is gone, or the viewer."""


class Terminal:
    """One viewer's terminal.

    :param read: gives the guest's whole console
    """

    def __init__(self, read: Callable[[], str]) -> None:
        self._read, self._condition = read, threading.Condition()
        self._text, self._console = "", ""  # what is on the terminal, and what of it the guest wrote
        self._typed, self._in_password, self._closed = "", False, False  # on the last line

    def type(self, characters: str) -> None:
        """Type something: the login echoes a name, asks for a password, and refuses it."""
        with self._condition:
            self._look()
            for character in characters.replace("\r\n", "\r"):
                if character in "\r\n":
                    prompt = self._console.rpartition("\n")[2]
                    self._write(f"{WRONG}{prompt} " if self._in_password else "\nPassword: ")
                    self._typed, self._in_password = "", not self._in_password
                elif character in "\b\x7f":
                    if self._typed:
                        self._typed, self._text = self._typed[:-1], self._text[:-1]
                elif character.isprintable() and not self._in_password:
                    self._typed += character
                    self._write(character)
            self._condition.notify_all()

    def changed(self) -> None:
        """Have those who wait look again."""
        with self._condition:
            self._condition.notify_all()

    def close(self) -> None:
        """End the waiting."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def text(self, unlike: str | None = None) -> str:
        """Give what is on the terminal, when it differs from what the caller has seen.

        :raises Closed: when there is no more to come
        """
        with self._condition:
            self._look()
            while self._text == unlike:
                self._condition.wait()
                self._look()
            return self._text

    def _look(self) -> None:
        """Read what the guest has written since; one that was made anew has written something else."""
        if self._closed:
            raise Closed
        try:
            console = self._read()
        except errors.GuestNotFound:
            raise Closed from None
        if console != self._console:
            goes_on = self._console and console.startswith(self._console)
            new = console[len(self._console) :] if goes_on else console
            self._text = self._text if goes_on else ""
            self._write(f"{new} ")
            self._console, self._typed, self._in_password = console, "", False

    def _write(self, characters: str) -> None:
        self._text = (self._text + characters)[-LONGEST:]
