"""The text screen of a fake guest as pixels: 25 lines of 80 characters, in a font that is a file beside this one.

A glyph has eight rows of eight pixels, and each row is shown twice, as the first graphics cards did it.  The pixels are
those that the viewer asked for (RFC 6143, 7.4).  There are two colours, so no library for images is needed.
"""

from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

COLUMNS, LINES = 80, 25
CELL_WIDTH, CELL_HEIGHT = 8, 16  # pixels
WIDTH, HEIGHT = COLUMNS * CELL_WIDTH, LINES * CELL_HEIGHT
CURSOR = "_"
INK, PAPER = (0xC0, 0xC0, 0xC0), (0, 0, 0)


class PixelFormat(NamedTuple):
    """How a viewer wants a pixel.

    :param size: bytes; ``byteorder`` is that of int.to_bytes()
    :param maxima: the greatest value of red, green and blue; ``shifts`` are by how many bits each is moved to the left
    """

    size: int
    byteorder: Literal["big", "little"]
    maxima: tuple[int, int, int]
    shifts: tuple[int, int, int]

    def pixel(self, colour: tuple[int, int, int]) -> bytes:
        """Give a pixel of a colour whose parts are between 0 and 255."""
        parts = zip(colour, self.maxima, self.shifts, strict=True)
        value = sum((part * most // 255) << shift for part, most, shift in parts)
        return (value & (1 << 8 * self.size) - 1).to_bytes(self.size, self.byteorder)


def lines(text: str) -> list[str]:
    """Give what a screen shows of a text: the end of it, with the cursor after it."""
    folded = [
        line[start : start + COLUMNS]
        for line in (text + CURSOR).splitlines()[-LINES:]
        for start in range(0, len(line) or 1, COLUMNS)
    ]
    shown = [line.ljust(COLUMNS) for line in folded[-LINES:]]
    return shown + [" " * COLUMNS] * (LINES - len(shown))


def rows(line: str, pixels: PixelFormat) -> list[bytes]:
    """Draw one line of the screen, row by row."""
    glyphs, drawn = _glyphs(), _drawn(pixels)
    cells = [glyphs.get(character, glyphs["?"]) for character in line]
    return [b"".join(drawn[cell[row // 2]] for cell in cells) for row in range(CELL_HEIGHT)]


@cache
def _glyphs() -> dict[str, bytes]:
    """Read the font: a byte for each row of a character."""
    font = files(__package__).joinpath("font8x8.hex").read_text("ascii")
    glyphs = (line.split(":") for line in font.splitlines() if not line.startswith("#"))
    return {chr(int(code, 16)): bytes.fromhex(glyph) for code, glyph in glyphs}


def _drawn(pixels: PixelFormat) -> list[bytes]:
    """Give the pixels of each of the 256 rows that a glyph may have."""
    ink, paper = pixels.pixel(INK), pixels.pixel(PAPER)
    return [b"".join(ink if row & 0x80 >> x else paper for x in range(CELL_WIDTH)) for row in range(256)]
