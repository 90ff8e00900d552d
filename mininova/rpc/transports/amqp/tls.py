"""TLS under an AMQP connection: what we trust, who we are, and a socket that one thread reads while another writes.

``ssl.SSLSocket`` does not promise the latter: its read and its write work on one session without a lock between them.
Here the session is kept apart from the socket.  It is touched under a lock, which is never held while waiting for the
wire.
"""

import socket
import ssl
import threading
from dataclasses import dataclass

_MOST_AT_ONCE = 65_536  # bytes


@dataclass(frozen=True, kw_only=True)
class TLS:
    """What to trust and what to show.  The broker's certificate and its name in it are always verified.

    :param ca_file: the authorities that may have signed it, in PEM; without it, those that the system trusts
    :param cert_file: our own certificate, for a broker that wants one
    :param key_file: its key, if that is not in the same file
    """

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def context(self) -> ssl.SSLContext:
        """Read the files.

        :raises ValueError: when one cannot be used; it is named
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # ssl.SSLError is one, too
            raise ValueError(f"the certificates of {self.ca_file} cannot be used: {error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert_file is not None:
            try:
                context.load_cert_chain(self.cert_file, self.key_file)
            except OSError as error:
                key = f" with the key of {self.key_file}" if self.key_file else ""
                raise ValueError(f"the certificate of {self.cert_file}{key} cannot be used: {error}") from None
        return context


class TLSSocket:
    """A connected socket, with TLS from here on.

    :param host: the name that the certificate must have
    :param timeout: seconds for the handshake
    :raises ssl.SSLError: when it fails
    """

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, host: str, timeout: float | None) -> None:
        self._socket, self._lock = connected, threading.Lock()
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._coming, self._going, server_hostname=host)
        connected.settimeout(timeout)
        self._shake_hands()
        connected.settimeout(None)

    def _shake_hands(self) -> None:
        done = False
        while not done:
            try:
                self._session.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                self._socket.sendall(self._going.read())
                self._feed()
        self._socket.sendall(self._going.read())

    def _feed(self) -> None:
        came = self._socket.recv(_MOST_AT_ONCE)
        with self._lock:
            if came:
                self._coming.write(came)
            else:
                self._coming.write_eof()

    def recv(self, most: int) -> bytes:
        """Give at most so many bytes as soon as there are some, and none at the end."""
        while True:
            with self._lock:
                try:
                    return self._session.read(most)
                except ssl.SSLWantReadError:
                    pass
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            self._feed()

    def sendall(self, data: bytes) -> None:
        """Send all of some bytes; one thread at a time."""
        left = memoryview(data)
        with self._lock:
            while left:
                left = left[self._session.write(left) :]
            records = self._going.read()
        self._socket.sendall(records)

    # ---- what is the same without TLS

    def settimeout(self, seconds: float | None) -> None:
        """See socket.socket."""
        self._socket.settimeout(seconds)

    def gettimeout(self) -> float | None:
        """See socket.socket."""
        return self._socket.gettimeout()

    def shutdown(self, how: int) -> None:
        """See socket.socket."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """See socket.socket."""
        self._socket.close()
