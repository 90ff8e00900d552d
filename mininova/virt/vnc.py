"""A graphical console: the terminal as a screen of pixels, by the protocol of VNC, RFB 3.8 (RFC 6143).

What noVNC needs, and no more: no password, for the way here asks for a token; pixels as they are ("raw"), in any
true-colour format; keys, which are typed at the terminal.  An update has all lines of the screen that have changed,
wherever the area is that the viewer asked about: QEMU does not look at it, either.
"""

import socket
import struct
import threading
from contextlib import suppress

from mininova.virt import screen
from mininova.virt.screen import PixelFormat
from mininova.virt.terminal import Closed, Terminal

VERSION = b"RFB 003.008\n"
NAME = b"console of a fake guest"
NO_SECURITY = 1
MAX_PASTE_BYTES = 64 * 1024

# What a viewer sends begins with one of these.
SET_PIXEL_FORMAT, SET_ENCODINGS, UPDATE_REQUEST, KEY, POINTER, CUT_TEXT = 0, 2, 3, 4, 5, 6
UPDATE, RAW = 0, 0  # what it is sent

FORMAT = struct.Struct(">BBBBHHHBBB3x")
BITS = 8, 16, 32  # that a pixel may have
TRUE_COLOUR, DEPTH = 1, 24
FIRST_FORMAT = PixelFormat(size=4, byteorder="little", maxima=(255, 255, 255), shifts=(16, 8, 0))

# Keys are numbers of X11: those of characters are Latin-1's, or Unicode's with a bit more.
LATIN_1, UNICODE_BIT = range(0x20, 0x100), 0x0100_0000
KEYS = {0xFF08: "\x7f", 0xFF0D: "\r", 0xFF8D: "\r"}  # BackSpace, Return, and Enter beside the digits


class ProtocolError(Exception):
    """The viewer says what is no RFB, or more of it than is spoken here."""


def serve(viewer: socket.socket, terminal: Terminal) -> None:
    """Show a viewer the terminal as a screen, and type there what the viewer types."""
    with suppress(ProtocolError, Closed):
        Session(viewer, terminal).run()


class Session:
    """One viewer's: what it has been shown, and whether it asks for more."""

    def __init__(self, viewer: socket.socket, terminal: Terminal) -> None:
        self._viewer, self._terminal = viewer, terminal
        self._stream = viewer.makefile("rb")
        self._turn = threading.Lock()  # to send, and to change what follows
        self._pixels = FIRST_FORMAT
        self._shown: str | None = None
        self._asks_for_changes = threading.Event()

    def run(self) -> None:
        """Agree on the protocol, and then do what the viewer says.

        :raises ProtocolError: when it says what is not understood
        :raises EOFError: when it is gone
        :raises Closed: when the guest is
        """
        self._handshake()
        threading.Thread(target=self._show_changes, daemon=True).start()
        try:
            while True:
                self._obey(self._read(1)[0])
        finally:
            self._terminal.close()
            self._asks_for_changes.set()  # so that the other thread ends

    def _handshake(self) -> None:
        self._viewer.sendall(VERSION)
        if self._read(len(VERSION)) != VERSION:
            raise ProtocolError("it speaks another version")
        self._viewer.sendall(bytes((1, NO_SECURITY)))  # one kind is offered
        if self._read(1)[0] != NO_SECURITY:
            raise ProtocolError("it chooses what was not offered")
        self._viewer.sendall(struct.pack(">I", 0))  # it may come in
        self._read(1)  # whether others may see the screen, too: they may
        pixels = FORMAT.pack(32, DEPTH, 0, TRUE_COLOUR, *FIRST_FORMAT.maxima, *FIRST_FORMAT.shifts)
        size = struct.pack(">HH", screen.WIDTH, screen.HEIGHT)
        self._viewer.sendall(size + pixels + struct.pack(">I", len(NAME)) + NAME)

    # ---- what the viewer says

    def _obey(self, message: int) -> None:
        if message == SET_PIXEL_FORMAT:
            self._read(3)
            pixels = _pixel_format(self._read(FORMAT.size))
            with self._turn:
                self._pixels = pixels
        elif message == SET_ENCODINGS:
            (count,) = struct.unpack(">xH", self._read(3))
            self._read(4 * count)  # every viewer takes raw, too
        elif message == UPDATE_REQUEST:
            (only_changes,) = struct.unpack(">B8x", self._read(9))
            self._update_asked(bool(only_changes))
        elif message == KEY:
            is_down, key = struct.unpack(">B2xI", self._read(7))
            if is_down and (typed := _typed(key)):
                self._terminal.type(typed)
        elif message == POINTER:
            self._read(5)  # there is nothing to point at
        elif message == CUT_TEXT:
            (length,) = struct.unpack(">3xI", self._read(7))
            if length > MAX_PASTE_BYTES:
                raise ProtocolError("it copies too much")
            self._read(length)  # into no clipboard
        else:
            raise ProtocolError(f"message {message} is unknown")

    def _update_asked(self, only_changes: bool) -> None:
        with self._turn:
            if only_changes:
                self._asks_for_changes.set()
            else:
                self._show(self._terminal.text(), before=None)

    def _read(self, count: int) -> bytes:
        """Read so many bytes.

        :raises EOFError: when the viewer is gone
        """
        if len(data := self._stream.read(count)) < count:
            raise EOFError
        return data

    # ---- what it is shown

    def _show_changes(self) -> None:
        """Show what is new on the terminal, once for each time that the viewer asks."""
        with suppress(Closed, OSError):
            while True:
                self._terminal.text(unlike=self._shown)  # waits
                self._asks_for_changes.wait()
                with self._turn:
                    if self._show(self._terminal.text(), before=self._shown):
                        self._asks_for_changes.clear()
        with suppress(OSError):
            self._viewer.shutdown(socket.SHUT_RDWR)  # so that the thread that reads ends, too

    def _show(self, text: str, before: str | None) -> bool:
        """Send the lines that are not as before, and tell whether there were any."""
        self._shown = text
        old = [None] * screen.LINES if before is None else screen.lines(before)
        changed = [(at, line) for at, line in enumerate(screen.lines(text)) if line != old[at]]
        if changed:
            drawn = (_rectangle(at, b"".join(screen.rows(line, self._pixels))) for at, line in changed)
            self._viewer.sendall(struct.pack(">BxH", UPDATE, len(changed)) + b"".join(drawn))
        return bool(changed)


def _rectangle(line: int, pixels: bytes) -> bytes:
    top = line * screen.CELL_HEIGHT
    return struct.pack(">HHHHi", 0, top, screen.WIDTH, screen.CELL_HEIGHT, RAW) + pixels


def _pixel_format(said: bytes) -> PixelFormat:
    bits, _, is_big_endian, is_true_colour, *rest = FORMAT.unpack(said)
    if bits not in BITS or not is_true_colour:
        raise ProtocolError(f"its pixels have {bits} bits, or a palette")
    red, green, blue, *shifts = rest
    return PixelFormat(bits // 8, "big" if is_big_endian else "little", (red, green, blue), tuple(shifts))


def _typed(key: int) -> str:
    """Give what a key types; "" for one that types nothing."""
    if key in LATIN_1:
        return chr(key)
    character = key - UNICODE_BIT
    return chr(character) if 0x100 <= character <= 0x10FFFF else KEYS.get(key, "")
