"""The network between the services and the broker or the database server: a TCP proxy for each way that a service has.

A way can be cut, slow or half-open: storms do that (tools/storm), and people by the control API (faults.py).

All proxies run in one thread.  A half-open connection stays up, and no byte arrives at either end.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

from stack import ports

#: What a way can suffer.
CUT, SLOW, HALF_OPEN = "cut", "slow", "half-open"

Way = TypeVar("Way")

SLOW_S = 0.2  # seconds by which each piece of data is late on a slow connection
PIECE = 65_536


class Link:
    """One way.

    :param port: where the service finds it
    :param leads_to: the port of the server
    """

    def __init__(self, port: int, leads_to: int) -> None:
        self.port, self._leads_to = port, leads_to
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
            server_reader, server_writer = await asyncio.open_connection(ports.LOOPBACK, self._leads_to)
        except OSError:
            return _reset(writer)
        ends = {writer, server_writer}
        self._ends |= ends
        try:
            await asyncio.gather(self._pump(reader, server_writer), self._pump(server_reader, writer))
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


class Network(Generic[Way]):
    """The ways of all services.

    :param links: by the name that a way has for who uses this
    """

    def __init__(self, links: Mapping[Way, Link]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.links = links

    def start(self) -> None:
        """Open all ways."""
        self._thread.start()
        for link in self.links.values():
            self._do(link.listen())

    def suffer(self, way: Way, trouble: str | None) -> None:
        """Have a way cut, slow or half-open from now on; None mends it."""
        self._do(self.links[way].suffer(trouble))

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
