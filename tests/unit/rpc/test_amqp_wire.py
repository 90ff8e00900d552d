"""Frames pass the socket many at a time."""

import queue
import threading

import pytest
from amqp.exceptions import UnexpectedFrame
from rpc_bench import PATIENCE

from mininova.rpc.amqp_wire import FrameReader, FrameWriter

FRAMES = [(1, 3, b"a method"), (2, 3, b""), (3, 3, b"x" * 100_000)]


def bytes_of(kind, channel, payload):
    """Write a frame as the broker does."""
    return bytes([kind]) + channel.to_bytes(2, "big") + len(payload).to_bytes(4, "big") + payload + b"\xce"


def reader_of(*pieces):
    """Make a reader to which these pieces come."""
    coming = iter(pieces)
    return FrameReader(lambda most: next(coming, b""))


STREAM = b"".join(bytes_of(*frame) for frame in FRAMES)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 1000, len(STREAM)])
def test_frames_are_read_however_they_were_cut(size):
    """What comes at once may be less than a frame, or many."""
    reader = reader_of(*(STREAM[at : at + size] for at in range(0, len(STREAM), size)))

    assert [reader.read() for _ in FRAMES] == FRAMES


@pytest.mark.parametrize("there", [0, 3, 10])
def test_the_end_of_the_connection_is_an_error(there):
    """Between two frames as well as within one."""
    with pytest.raises(OSError, match="closed"):
        reader_of(STREAM[:there]).read()


def test_a_frame_without_its_mark_is_refused():
    """Who has lost count of the bytes must not go on."""
    with pytest.raises(UnexpectedFrame):
        reader_of(STREAM[:15] + b"?" + STREAM[16:]).read()


class Wire:
    """A socket that takes what is sent when it is let.

    :ivar sent: the pieces
    """

    def __init__(self):
        self.sent, self.entered, self.may_take = queue.Queue(), threading.Semaphore(0), threading.Semaphore(0)
        self.failures = queue.Queue()
        self.writer = FrameWriter(self._send, lambda: self.failures.put("failed"))
        self.thread = threading.Thread(target=self.writer.run, daemon=True)
        self.thread.start()

    def _send(self, piece):
        self.entered.release()
        assert self.may_take.acquire(timeout=PATIENCE)
        if piece == b"break":
            raise BrokenPipeError
        self.sent.put(piece)


def test_what_gathers_goes_in_one_piece_and_in_order():
    """While one piece is on its way, all that others write waits, and follows together."""
    wire = Wire()
    wire.writer.write(b"first")
    assert wire.entered.acquire(timeout=PATIENCE)
    for frame in b"a", memoryview(b"b"), b"c":
        wire.writer.write(frame)
    wire.may_take.release(2)

    assert [wire.sent.get(timeout=PATIENCE) for _ in range(2)] == [b"first", b"abc"]


def test_who_writes_may_use_its_buffer_again():
    """As py-amqp does for the next frame."""
    wire, buffer = Wire(), bytearray(b"a")
    wire.writer.write(memoryview(buffer))
    buffer[:] = b"b"
    wire.may_take.release()

    assert wire.sent.get(timeout=PATIENCE) == b"a"


def test_a_broker_that_takes_nothing_holds_up_who_writes():
    """Memory has a bound; when the connection then breaks, everybody goes on."""
    wire = Wire()
    wire.writer.write(b"break")
    assert wire.entered.acquire(timeout=PATIENCE)
    written = threading.Semaphore(0)

    def write_much():
        for _ in range(1000):
            wire.writer.write(b"x")
            written.release()

    threading.Thread(target=write_much, daemon=True).start()
    for _ in range(256):
        assert written.acquire(timeout=PATIENCE)
    assert not written.acquire(blocking=False)

    wire.may_take.release(1001)
    for _ in range(1000 - 256):
        assert written.acquire(timeout=PATIENCE)
    assert wire.failures.get(timeout=PATIENCE) == "failed"


def test_it_ends():
    """A connection's writer does not outlive it."""
    wire = Wire()
    wire.may_take.release()
    wire.writer.end()

    wire.thread.join(PATIENCE)
    assert not wire.thread.is_alive()
