"""How frames are read from the socket and written to it, many at a time."""

import queue
import threading

import pytest

from mininova.rpc.transports.amqp.wire import FrameReader, FrameWriter
from tests.fixtures.rpc_bench import PATIENCE

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
    """A read gives less than a frame, or many."""
    reader = reader_of(*(STREAM[at : at + size] for at in range(0, len(STREAM), size)))

    assert [reader.read() for _ in FRAMES] == FRAMES


@pytest.mark.parametrize("there", [0, 3, 10])
def test_the_end_of_the_connection_is_an_error(there):
    """Between two frames as well as within one."""
    with pytest.raises(OSError, match="closed"):
        reader_of(STREAM[:there]).read()


def test_a_frame_without_its_mark_is_refused():
    """A reader that has lost count of the bytes must not go on."""
    with pytest.raises(OSError, match="0x3f"):
        reader_of(STREAM[:15] + b"?" + STREAM[16:]).read()


class Wire:
    """A socket that takes a piece each time that a test lets it.

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


def test_waiting_frames_go_in_one_piece_and_in_order():
    """While one piece is being sent, all that is written meanwhile waits, and follows in one piece."""
    wire = Wire()
    wire.writer.write(b"first")
    assert wire.entered.acquire(timeout=PATIENCE)
    for frame in b"a", b"b", b"c":
        wire.writer.write(frame)
    wire.may_take.release(2)

    assert [wire.sent.get(timeout=PATIENCE) for _ in range(2)] == [b"first", b"abc"]


def test_a_slow_broker_holds_up_publishers():
    """Publishers wait when too much is queued; a reader that must acknowledge does not."""
    wire = Wire()
    wire.writer.write(b"first")
    assert wire.entered.acquire(timeout=PATIENCE)
    assert wire.writer.wait_for_room(0)

    wire.writer.write(b"x" * 1_048_576)
    assert not wire.writer.wait_for_room(0.01)
    wire.writer.write(b"an acknowledgement")
    there = queue.Queue()
    threading.Thread(target=lambda: there.put(wire.writer.wait_for_room(PATIENCE)), daemon=True).start()
    wire.may_take.release(2)

    assert there.get(timeout=PATIENCE) is True


def test_a_blocked_broker_holds_up_publishers():
    """Publishers wait until the broker takes messages again, or the connection ends."""
    wire = Wire()
    wire.writer.hold(True)
    assert not wire.writer.wait_for_room(0.01)

    wire.writer.hold(False)
    assert wire.writer.wait_for_room(0)

    wire.writer.hold(True)
    wire.writer.end()
    assert wire.writer.wait_for_room(0)


def test_a_broken_connection_is_reported_once():
    """The connection's owner gets one error, and the writer's thread ends."""
    wire = Wire()
    wire.may_take.release()
    wire.writer.write(b"break")

    assert wire.failures.get(timeout=PATIENCE) == "failed"
    wire.thread.join(PATIENCE)
    assert not wire.thread.is_alive()


def test_the_writer_ends_with_its_connection():
    """The writer's thread ends with its connection."""
    wire = Wire()
    wire.writer.end()

    wire.thread.join(PATIENCE)
    assert not wire.thread.is_alive()
