"""The network between a service and the broker: a TCP proxy for each service, which can be cut, slow or half-open.

All proxies run in one thread.  A half-open connection stays up, and no byte arrives at either end.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

from stack import ports

from storm.plan import CUT, HALF_OPEN, SLOW

SLOW_S = 0.2  # seconds by which each piece of data is late on a slow connection
PIECE = 65_536


class Link:
    """The way of one service to the broker.

    :param port: where the service finds it
    :param broker_port: where it leads
    """

    def __init__(self, port: int, broker_port: int) -> None:
        self.port, self._broker_port = port, broker_port
        self._trouble: str | None = None
        self._passes = asyncio.Event()
        self._passes.set()
        self._ends: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._connect, ports.LOOPBACK, self.port)

    async def close(self) -> None:
        """End all connections, and take none any more."""
        self._server.close()
        await self._server.wait_closed()
        self._passes.set()
        for end in self._ends:
            end.transport.abort()

    async def suffer(self, trouble: str | None) -> None:
        """Have a trouble from now on, or none."""
        self._trouble = trouble
        if trouble == HALF_OPEN:
            self._passes.clear()
        else:
            self._passes.set()
        if trouble == CUT:
            for end in self._ends:
                _reset(end)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._trouble == CUT:
            return _reset(writer)
        try:
            broker_reader, broker_writer = await asyncio.open_connection(ports.LOOPBACK, self._broker_port)
        except OSError:
            return _reset(writer)
        ends = {writer, broker_writer}
        self._ends |= ends
        try:
            await asyncio.gather(self._pump(reader, broker_writer), self._pump(broker_reader, writer))
        finally:
            self._ends -= ends

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry data one way until either end closes."""
        with suppress(OSError):
            while data := await reader.read(PIECE):
                if self._trouble == SLOW:
                    await asyncio.sleep(SLOW_S)
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a router does that has forgotten it: its peer gets a reset."""
    if writer.is_closing():
        return
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Network:
    """The ways of all services.

    :param services: their names
    """

    def __init__(self, services: Iterable[str], broker_port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.links = {name: Link(ports.pick(), broker_port) for name in services}

    def start(self) -> None:
        """Open all ways."""
        self._thread.start()
        for link in self.links.values():
            self._do(link.listen())

    def suffer(self, service: str, trouble: str | None) -> None:
        """Have the way of a service cut, slow or half-open from now on; None mends it."""
        self._do(self.links[service].suffer(trouble))

    def stop(self) -> None:
        """Close all ways, if they were opened."""
        if not self._thread.is_alive():
            self._loop.close()
            return
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        for link in self.links.values():
            await link.close()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()
