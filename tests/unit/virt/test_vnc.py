"""A VNC client sees a fake guest's screen: mininova/virt/vnc.py and screen.py, spoken to as noVNC does (RFC 6143)."""

import struct
from importlib.resources import files
from typing import Any

import pytest

from mininova import conf
from mininova.virt import screen
from mininova.virt.behaviour import Behaviour
from mininova.virt.consoles import Consoles, offers
from mininova.virt.fake import FakeDriver, machine
from mininova.virt.guests import GuestStore

#: What a client may ask for: bits, depth, big-endian, true colour, maxima, shifts; and how an inked pixel looks then.
CANVAS = (32, 24, 0, 1, 255, 255, 255, 0, 8, 16), bytes.fromhex("c0c0c000")
BIG_ENDIAN = (16, 16, 1, 1, 31, 63, 31, 11, 5, 0), bytes.fromhex("bdf7")
TINY = (8, 8, 0, 1, 7, 7, 3, 0, 3, 6), b"\xad"


@pytest.fixture
def driver(tmp_path: Any, clock: Any, instance: Any, image: Any) -> FakeDriver:
    """Give the fake hypervisor of a host that shows consoles by VNC, with one guest."""
    settings = conf.for_tests("compute", **{"vnc.enabled": True})
    consoles = Consoles(offers(settings))
    made = FakeDriver(machine(settings, "host-1"), GuestStore(str(tmp_path), "host-1"), Behaviour(), clock, consoles)
    made.spawn(instance, image)
    return made


class Client:
    """What noVNC does, on a TCP connection."""

    def __init__(self, connection: Any, stream: Any) -> None:
        self._connection, self._stream = connection, stream
        self._ink, self._pixels = CANVAS[1], bytearray()

    def say(self, form: str, *values: Any) -> None:
        self._connection.sendall(struct.pack(">" + form, *values))

    def hear(self, form: str) -> Any:
        size = struct.calcsize(">" + form)
        data = self._stream.read(size)
        assert len(data) == size, f"it ended after {data!r}"
        return struct.unpack(">" + form, data)

    def shake_hands(self) -> None:
        assert self.hear("12s") == (b"RFB 003.008\n",)
        self.say("12s", b"RFB 003.008\n")
        assert self.hear("BB") == (1, 1)
        self.say("B", 1)
        assert self.hear("I") == (0,)
        self.say("B", 1)
        *size, bits, _, _, true_colour = self.hear("HHBBBB")
        assert (size, bits, true_colour) == ([640, 400], 32, 1)
        self.hear("HHHBBB3x")
        (length,) = self.hear("I")
        assert self.hear(f"{length}s") == (b"console of a fake guest",)

    def want(self, pixels: tuple[int, ...], ink: bytes) -> None:
        self.say("B3x4B3H3B3x", 0, *pixels)
        self.say("BxH3i", 2, 3, 7, 0, -223)  # encodings: tight, raw, and a size that changes
        self._ink, self._pixels = ink, bytearray(640 * 400 * len(ink))

    def ask(self, only_changes: int) -> None:
        self.say("BB4H", 3, only_changes, 0, 0, 640, 400)

    def update(self) -> int:
        """Draw one update, and count its rectangles."""
        message, areas = self.hear("BxH")
        assert message == 0
        size = len(self._ink)
        for _ in range(areas):
            x, y, width, height, encoding = self.hear("4Hi")
            assert encoding == 0
            for row in range(y, y + height):
                start = (640 * row + x) * size
                (self._pixels[start : start + width * size],) = self.hear(f"{width * size}s")
        return int(areas)

    def press(self, *keys: int) -> None:
        for key in keys:
            self.say("BB2xI", 4, 1, key)
            self.say("BB2xI", 4, 0, key)

    def line(self, y: int) -> str:
        """Read a line off the pixels, with the font."""
        font = files("mininova.virt").joinpath("font8x8.hex").read_text().splitlines()[2:]
        characters = {bytes.fromhex(glyph[5:]): chr(int(glyph[:4], 16)) for glyph in font}
        return "".join(characters[self._glyph(x * 8, y * 16)] for x in range(80)).rstrip()

    def _glyph(self, left: int, top: int) -> bytes:
        rows = [0] * 16
        for at in range(128):
            x, y = left + at % 8, top + at // 8
            start = (640 * y + x) * len(self._ink)
            pixel = self._pixels[start : start + len(self._ink)]
            assert pixel in (self._ink, bytes(len(self._ink)))
            rows[at // 8] |= (pixel == self._ink) << (7 - at % 8)
        assert rows[::2] == rows[1::2]
        return bytes(rows[::2])


@pytest.fixture
def client(driver: FakeDriver, instance: Any, viewer: Any) -> Client:
    """Connect, as the proxy does."""
    connection, stream = viewer(driver.get_console(instance, "vnc", "novnc"))
    while stream.readline() != b"\r\n":
        pass
    return Client(connection, stream)


@pytest.mark.parametrize(("pixels", "ink"), [CANVAS, BIG_ENDIAN, TINY], ids=["canvas", "big-endian", "tiny"])
def test_the_screen_shows_what_the_guest_writes(client: Client, pixels: tuple[int, ...], ink: bytes) -> None:
    """The end of it, in the pixels that the client asks for."""
    client.shake_hands()
    client.want(pixels, ink)
    client.ask(only_changes=0)
    assert client.update() == 25
    assert client.line(24) == "web-1 login: _"
    assert "=== datasource ===" in {client.line(at) for at in range(17, 21)}


def test_what_is_typed_is_shown(client: Client) -> None:
    """A key changes one line, and that alone is sent; a key that types nothing changes none."""
    client.shake_hands()
    client.want(*CANVAS)
    client.ask(only_changes=0)
    client.update()
    shift, backspace, enter = 0xFFE1, 0xFF08, 0xFF0D
    client.ask(only_changes=1)
    client.press(shift, ord("r"))
    assert client.update() == 1
    assert client.line(24) == "web-1 login: r_"
    client.say("B3xI5s", 6, 5, b"paste")
    client.say("BB2H", 5, 1, 10, 10)
    client.press(backspace, enter)
    while client.line(24) != "Password: _":
        client.ask(only_changes=1)
        client.update()


def test_the_viewer_leaves_with_the_guest(client: Client, driver: FakeDriver, instance: Any) -> None:
    """Its connection is closed."""
    client.shake_hands()
    client.want(*CANVAS)
    client.ask(only_changes=0)
    client.update()
    client.ask(only_changes=1)
    driver.destroy(instance.uuid)
    assert client._stream.read() == b""


@pytest.mark.parametrize(
    "wrong",
    [
        b"RFB 003.003\n",
        b"RFB 003.008\n\x02",
        b"RFB 003.008\n\x01\x01\xff",
        b"RFB 003.008\n\x01\x01" + struct.pack(">B3xI", 6, 2**32 - 1),
        b"RFB 003.008\n\x01\x01" + struct.pack(">B3x4B3H3B3x", 0, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0),
        b"RFB 003.008\n\x01\x01" + struct.pack(">B3x4B3H3B3x", 0, 24, 24, 0, 1, 255, 255, 255, 0, 8, 16),
    ],
    ids=["version", "security", "message", "clipboard", "palette", "bits"],
)
def test_what_is_no_rfb_ends_the_connection(client: Client, wrong: bytes) -> None:
    """So does what is more of it than a screen of text needs."""
    client._connection.sendall(wrong)
    client._stream.read()


def test_a_glyph_stands_upright() -> None:
    """The letter L has its stem at the left and its foot below."""
    pixels = screen.PixelFormat(1, "big", (1, 1, 1), (0, 0, 0))
    bright = screen.PixelFormat(1, "big", (255, 0, 0), (0, 0, 0))
    assert pixels.pixel((255, 255, 255)) == b"\x03"
    drawn = b"|".join(screen.rows("L", bright)[::2]).replace(b"\0", b" ").replace(b"\xc0", b"#")
    assert drawn == b"####    | ##     | ##     | ##     | ##   # | ##  ## |####### |        "


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("", "_", ""),
        ("a\nb", "a", ""),
        ("x" * 80, "x" * 80, ""),
        ("\n".join(map(str, range(40))) + " ", "15", "39 _"),
        ("x" * 80 * 30, "x" * 80, "_"),
        ("a\n", "a", ""),
    ],
)
def test_what_a_screen_shows_of_a_text(text: str, first: str, last: str) -> None:
    """The last 25 lines, long ones folded, and where the cursor is."""
    shown = screen.lines(text)
    assert [len(line) for line in shown] == [80] * 25
    assert (shown[0].rstrip(), shown[-1].rstrip()) == (first, last)
