"""Rows of text in aligned columns: what the tools print, on a terminal and into a pipe alike."""

from collections.abc import Collection, Sequence


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[list[str]]:
    """Pad the cells so that columns line up.

    :param right: the columns that are aligned to the right
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        [_padded(cell, width, place, right) for place, (cell, width) in enumerate(zip(row, widths, strict=True))]
        for row in rows
    ]


def titled(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[list[str]]:
    """Put headings over rows, and align them together."""
    return aligned([headings, *rows], right)


def _padded(cell: str, width: int, place: int, right: Collection[int]) -> str:
    return cell.rjust(width) if place in right else cell.ljust(width)
