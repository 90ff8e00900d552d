"""A serial console: what is on the terminal as plain bytes, each line ended as a serial line ends it."""

import socket
import threading
from contextlib import suppress

from mininova.virt.terminal import Closed, Terminal

CLEAR = "\x1b[H\x1b[2J"  # for the viewer's own terminal: what it shows is not true any more


def serve(viewer: socket.socket, terminal: Terminal) -> None:
    """Show a viewer the terminal, and type there what the viewer types."""
    threading.Thread(target=_write, args=(viewer, terminal), daemon=True).start()
    while typed := viewer.recv(4096):
        try:
            terminal.type(typed.decode("utf-8", "replace"))
        except Closed:
            return


def _difference(shown: str, text: str) -> str:
    """Give what makes a terminal show a text: the end of it, a step back over what was taken back, or all of it."""
    if text.startswith(shown):
        return text[len(shown) :]
    return "\b \b" * (len(shown) - len(text)) if shown.startswith(text) else CLEAR + text


def _write(viewer: socket.socket, terminal: Terminal) -> None:
    shown = ""
    with suppress(Closed, OSError):
        while True:
            text = terminal.text(unlike=shown)
            new = _difference(shown, text)
            viewer.sendall(new.replace("\n", "\r\n").encode())
            shown = text
    with suppress(OSError):
        viewer.shutdown(socket.SHUT_RDWR)  # so that the thread that reads ends, too
