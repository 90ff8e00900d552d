"""One live connection to an AMQP 0-9-1 broker: what amqp.AMQPTransport makes anew each time the old one breaks.

One thread reads, one sends, and no other thread waits for the socket.  What comes in is handed, by channel and method,
to the listener registered for it in ``on``: of Places (declaring), Publishing or Reading, which share the Link.
"""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mininova.rpc.errors import ConnectionLost
from mininova.rpc.transports.amqp import frames
from mininova.rpc.transports.amqp.frames import Content
from mininova.rpc.transports.amqp.wire import FrameReader, FrameWriter, Socket

LOG = logging.getLogger(__name__)

#: Takes what came: the method's payload, and the message if one came with it.
Listener = Callable[[bytes, Content], None]

_SILENT_BEATS = 4  # of our own, three of which make a heartbeat's time: then the broker is given up
_NOTHING = Content(b"")


class Link:
    """What the parts share: the wire, and the end.

    :param connection: py-amqp's, as connect.connect made it
    :param broker: how to name it in the log
    :ivar on: who listens to a method on a channel
    :ivar write: has frames sent, and waits for nothing; raises ConnectionLost when the connection has ended
    :ivar last_word: with which the broker closed it: a code, and a text
    :ivar at_block: called when the broker takes nothing for now
    :ivar at_end: called when the connection has ended
    """

    def __init__(self, connection: Any, broker: str) -> None:
        self.broker = broker
        self.frame_max: int = connection.frame_max
        self._connection = connection  # only to keep it: its socket is ours now
        self._socket: Socket = connection.sock
        self._reader, self._writer = FrameReader(self._receive), FrameWriter(self._socket.sendall, self.cut)
        self._content: dict[int, Content] = {}
        self._silent_beats = 0
        self.write = self._writer.write
        self._closing = False
        self.last_word = 0, ""
        self.at_block: list[Callable[[], None]] = []
        self.at_end: list[Callable[[], None]] = []
        self.on: dict[tuple[int, bytes], Listener] = {
            (0, frames.CONNECTION_CLOSE): self.closed,
            (0, frames.CONNECTION_CLOSE_OK): lambda payload, content: self.cut(),
            (0, frames.BLOCKED): self._blocked,
            (0, frames.UNBLOCKED): self._unblocked,
        }
        threading.Thread(target=self._writer.run, name="amqp-writer", daemon=True).start()

    # ---- reading

    def read(self) -> None:
        """Hand over what comes in until the connection ends; then call all of ``at_end``.

        :raises ConnectionLost: when the connection was not ended with ``close``
        """
        try:
            while True:
                self._take(*self._reader.read())
        except Exception as error:  # of the socket, of TLS, or of frames that make no sense
            if not self._closing:
                raise ConnectionLost(f"the connection to the broker at {self.broker} broke: {error}") from None
        finally:
            self._end()

    def _receive(self, most: int) -> bytes:
        came = self._socket.recv(most)
        self._silent_beats = 0
        return came

    def _take(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == frames.METHOD:
            number = payload[:4]
            if number in frames.WITH_CONTENT:
                self._content[channel] = Content(payload)
            elif listener := self.on.get((channel, number)):
                listener(payload, _NOTHING)
        elif kind == frames.HEADER or kind == frames.BODY:
            content = self._content[channel]
            content.take_header(payload) if kind == frames.HEADER else content.take_body(payload)
            if content.missing <= 0:
                del self._content[channel]
                if listener := self.on.get((channel, content.method[:4])):
                    listener(content.method, content)

    def closed(self, payload: bytes, content: Content) -> None:
        """Hear that the broker ends the connection, or a channel without which the connection is of no use.

        :raises OSError: which ends ``read``
        """
        code, text = frames.arguments("Bs", payload)
        self.last_word = code, text
        raise OSError(f"{text or 'the broker closed it'} ({code})")

    def _end(self) -> None:
        self.cut()
        self._writer.end()
        for told in self.at_end:
            told()
        self._connection.collect()

    # ---- writing

    def wait_for_room(self, timeout: float) -> bool:
        """Wait at most so many seconds until the broker takes more, and tell whether it does."""
        return self._writer.wait_for_room(timeout)

    @property
    def lost(self) -> bool:
        """Tell whether the connection has ended, or is about to."""
        return self._writer.closed

    @property
    def blocked(self) -> bool:
        """Tell whether the broker takes nothing for now."""
        return self._writer.held

    def excuse(self) -> str:
        """Say, as the end of a sentence, why something may have taken too long."""
        return ": the broker takes no messages now, it is low on memory or disk" if self.blocked else ""

    def _blocked(self, payload: bytes, content: Content) -> None:
        LOG.warning("the broker at %s takes no messages for now: it is low on memory or disk", self.broker)
        self._writer.hold(True)
        for told in self.at_block:
            told()

    def _unblocked(self, payload: bytes, content: Content) -> None:
        LOG.info("the broker at %s takes messages again", self.broker)
        self._writer.hold(False)

    def beat(self) -> None:
        """Send a heartbeat; give the broker up if its own have stopped.  To be done thrice in a heartbeat's time."""
        self._silent_beats += 1
        if self._silent_beats > _SILENT_BEATS:
            LOG.warning("nothing has been heard of the broker at %s for too long", self.broker)
            self.cut()
        with suppress(ConnectionLost):
            self.write(frames.frame(frames.HEARTBEAT, 0, b""))

    # ---- the end

    def close(self) -> None:
        """Say goodbye; the reader ends when the broker has answered, or at once if it would not hear us now."""
        self._closing = True  # first: the answer may come at once, and the end is then no loss
        with suppress(ConnectionLost):
            self.write(frames.method(0, frames.CONNECTION_CLOSE, "BsBB", 200, "", 0, 0))
        self._writer.closed = True
        if self.blocked:
            self.cut()

    def cut(self) -> None:
        """End the connection at once: the reader notices, and ``write`` raises."""
        self._writer.closed = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
