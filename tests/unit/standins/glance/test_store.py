import hashlib
import io

import pytest

from mininova import errors
from mininova.standins.glance.store import BLOCK_BYTES, Store

DATA = b"0123456789" * 10


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "images", max_size=2 * BLOCK_BYTES)


def files(tmp_path):
    return list((tmp_path / "images").glob("*"))


class Broken:
    """A body whose sender goes away."""

    def __init__(self, error):
        self.blocks = [b"some", b"thing"]
        self.error = error

    def read(self, size=-1):
        if self.blocks:
            return self.blocks.pop(0)
        raise self.error


class Watched(io.BytesIO):
    """A body that remembers how much was read at once."""

    def read(self, size=-1):
        self.largest = max(size, getattr(self, "largest", 0))
        assert size >= 0
        return super().read(size)


def test_data_comes_back(store):
    """Written data is read back, and its size and hashes are known."""
    stored = store.write(io.BytesIO(DATA), len(DATA))
    assert b"".join(store.read(stored.location)) == DATA
    assert stored.size == len(DATA)
    assert stored.checksum == hashlib.md5(DATA).hexdigest()
    assert stored.os_hash_value == hashlib.sha512(DATA).hexdigest()


def test_unannounced_length(store):
    """Data in chunks is read to its end."""
    assert store.write(io.BytesIO(DATA)).size == len(DATA)


def test_given_up(store):
    """A download can be closed before its first byte is read."""
    store.read(store.write(io.BytesIO(DATA)).location).close()


def test_streamed(store):
    """Data is read and written in blocks, never as a whole."""
    body = Watched(b"x" * (BLOCK_BYTES + 7))
    stored = store.write(body)
    assert body.largest <= BLOCK_BYTES
    assert [len(block) for block in store.read(stored.location)] == [BLOCK_BYTES, 7]


def test_not_a_byte_more(store):
    """A read stops at the announced length: what follows on the connection is not the body's."""
    body = io.BytesIO(b"mine, not mine")
    assert store.write(body, 4).size == 4
    assert body.read() == b", not mine"


@pytest.mark.parametrize("length", [None, 2 * BLOCK_BYTES + 1])
def test_too_large(store, tmp_path, length):
    """Data over the limit is refused, announced or not, and leaves no file."""
    with pytest.raises(errors.RequestTooLarge):
        store.write(io.BytesIO(b"x" * (2 * BLOCK_BYTES + 1)), length)
    assert files(tmp_path) == []


def test_as_large_as_allowed(store):
    """The limit itself is allowed."""
    assert store.write(io.BytesIO(b"x" * 2 * BLOCK_BYTES)).size == 2 * BLOCK_BYTES


def test_too_short(store, tmp_path):
    """Data that ends early is refused, and leaves no file."""
    with pytest.raises(errors.InvalidInput, match="after 4 of 9 bytes"):
        store.write(io.BytesIO(b"some"), 9)
    assert files(tmp_path) == []


@pytest.mark.parametrize("error", [ConnectionResetError(), KeyboardInterrupt()])
def test_broken_off(store, tmp_path, error):
    """An upload that any error ends leaves no file."""
    with pytest.raises(type(error)):
        store.write(Broken(error))
    assert files(tmp_path) == []


def test_names_are_of_its_own_making(store, tmp_path):
    """The store chooses the names: the same data twice is two files."""
    names = {store.write(io.BytesIO(DATA)).location for _ in range(2)}
    assert {file.name for file in files(tmp_path)} == names
    assert all(name.isalnum() for name in names)


def test_remove(store, tmp_path):
    """Data can be removed twice, and an earlier reader reads it to its end."""
    stored = store.write(io.BytesIO(DATA))
    reading = store.read(stored.location)
    store.remove(stored.location)
    store.remove(stored.location)
    store.remove(None)
    assert files(tmp_path) == []
    assert b"".join(reading) == DATA
    with pytest.raises(FileNotFoundError):
        store.read(stored.location)


def test_the_disk_is_waited_for_aside(tmp_path):
    """Each block is written and read aside, and so are the end of a file and its removal."""
    asides = []
    store = Store(tmp_path / "images", 3 * BLOCK_BYTES, lambda work: asides.append(work) or work())
    stored = store.write(io.BytesIO(b"x" * 2 * BLOCK_BYTES))
    assert len(asides) == 3
    assert len(list(store.read(stored.location))) == 2
    assert len(asides) == 6
    store.remove(stored.location)
    assert len(asides) == 7
