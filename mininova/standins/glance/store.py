"""Where the data of images is: a folder with a file for each image that has any.

The store chooses the name of a file; no client does.  Data is written under another name and renamed at its end, so a
file that has its final name is complete; an upload that fails leaves nothing behind.  A disk may take its time, and so
does a hash: both are left to run aside, block by block, while other requests go on.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from mininova import errors
from mininova.wsgi import Aside, in_place

BLOCK_BYTES = 256 * 1024  # read at once
HASH = "sha512"


class Input(Protocol):
    """What data comes from: the body of a request."""

    def read(self, size: int = -1, /) -> bytes:
        """Give up to so many bytes; none at the end."""
        ...


@dataclass(frozen=True)
class Stored:
    """Data that is in its place.

    :param size: bytes
    :param checksum: its MD5, which clients still look at
    :param os_hash_value: its HASH
    """

    location: str
    size: int
    checksum: str
    os_hash_value: str


class Store:
    """The folder.

    :param max_size: the most bytes that an image may have
    :param aside: runs what waits for the disk
    """

    def __init__(self, directory: str | Path, max_size: int, aside: Aside = in_place) -> None:
        self._directory = Path(directory)
        self._max_size = max_size
        self._aside = aside

    def write(self, data: Input, length: int | None = None) -> Stored:
        """Take data to its end.

        :param length: how many bytes the sender announced; None when it did not
        :raises errors.RequestTooLarge: when there are more than an image may have
        :raises errors.InvalidInput: when it ends before what was announced
        """
        if length is not None and length > self._max_size:
            raise errors.RequestTooLarge(max_bytes=self._max_size)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        location = secrets.token_hex(16)
        draft = self._directory / f"{location}.part"
        try:
            stored = self._write(draft, location, _blocks(data, length))
            if length is not None and stored.size != length:
                raise errors.InvalidInput(f"The data ended after {stored.size} of {length} bytes.")
            draft.rename(self._directory / location)
        except BaseException:
            self._aside(lambda: draft.unlink(missing_ok=True))
            raise
        return stored

    def _write(self, draft: Path, location: str, blocks: Iterator[bytes]) -> Stored:
        size, md5, sha512 = 0, hashlib.md5(usedforsecurity=False), hashlib.new(HASH)

        def keep(block: bytes) -> None:
            md5.update(block)
            sha512.update(block)
            file.write(block)

        def finish() -> None:
            file.flush()
            os.fsync(file.fileno())

        with draft.open("xb") as file:
            for block in blocks:
                size += len(block)
                if size > self._max_size:
                    raise errors.RequestTooLarge(max_bytes=self._max_size)
                self._aside(partial(keep, block))
            self._aside(finish)
        return Stored(location, size, md5.hexdigest(), sha512.hexdigest())

    def read(self, location: str) -> "Blocks":
        """Give the data block by block; it can be read to its end even if it is removed meanwhile.

        :raises FileNotFoundError: when it is not there
        """
        return Blocks((self._directory / location).open("rb"), self._aside)

    def remove(self, location: str | None) -> None:
        """Remove the data of an image, if it has any."""
        if location is not None:
            self._aside(lambda: (self._directory / location).unlink(missing_ok=True))


class Blocks:
    """Data that is being read.  A reader that stops before the end, or never begins, must close it."""

    def __init__(self, file: BinaryIO, aside: Aside) -> None:
        self._file = file
        self._aside = aside

    def __iter__(self) -> "Blocks":
        return self

    def __next__(self) -> bytes:
        block = self._aside(lambda: self._file.read(BLOCK_BYTES))
        if not block:
            self.close()
            raise StopIteration
        return block

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _blocks(data: Input, length: int | None) -> Iterator[bytes]:
    """Read what was announced and no more: a server may wait for ever for bytes that the client does not send."""
    left = length
    while left is None or left > 0:
        block = data.read(BLOCK_BYTES if left is None else min(BLOCK_BYTES, left))
        if not block:
            return
        if left is not None:
            left -= len(block)
        yield block
