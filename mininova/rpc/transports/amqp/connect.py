"""Get in at a broker: the socket, TLS, the login and the four channels.  py-amqp, through kombu, does the talking.

What comes after that on the connection is the matter of link.Link.
"""

import ssl
from functools import partial
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed
from amqp.transport import TCPTransport
from kombu.transport import pyamqp

from mininova.rpc.errors import BrokerRefused, BrokerUnreachable
from mininova.rpc.transports.amqp.address import Address
from mininova.rpc.transports.amqp.frames import CONFIRMING, DECLARING, PLAIN, READING
from mininova.rpc.transports.amqp.tls import TLS, TLSSocket

_PATIENCE = 5.0  # seconds for each step of getting in
_REFUSALS = (AccessRefused, NotAllowed, ssl.SSLError)  # a wrong password, a virtual host that is none, a certificate


class _TLSTransport(TCPTransport):  # type: ignore[misc]  # py-amqp has no types
    def __init__(self, context: ssl.SSLContext, host: str, **how: Any) -> None:
        super().__init__(host, **how)
        self._context = context

    def _setup_transport(self) -> None:
        self.sock: Any = TLSSocket(self.sock, self._context, self.host, self.connect_timeout)
        super()._setup_transport()


class _Connection(pyamqp.Connection):  # type: ignore[misc]
    def Transport(self, host: str, connect_timeout: float, tls: ssl.SSLContext | None, *_: Any, **how: Any) -> Any:  # noqa: N802
        """Choose between TLS and none, where py-amqp does so."""
        kind = TCPTransport if tls is None else partial(_TLSTransport, tls)
        return kind(host, connect_timeout=connect_timeout, **how)


def connect(address: Address, tls: TLS, *, heartbeat: float) -> Any:
    """Connect, log in and open the channels; give py-amqp's connection, from which nothing is read ahead.

    :param heartbeat: seconds
    :raises BrokerUnreachable: in words that name the broker, and no password
    :raises BrokerRefused: likewise, when to try again with these settings is of no use
    """
    connection = None
    try:
        connection = _Connection(
            host=str(address),
            userid="guest" if address.user is None else address.user,
            password="guest" if address.user is None else address.password or "",
            login_method="PLAIN",
            virtual_host=address.virtual_host,
            heartbeat=heartbeat,
            connect_timeout=_PATIENCE,
            ssl=tls.context() if address.tls else None,
        )
        connection.connect()
        channels = {number: connection.channel(number) for number in (PLAIN, CONFIRMING, READING, DECLARING)}
        channels[CONFIRMING].confirm_select()
    except (OSError, AMQPError, ValueError, AttributeError) as error:  # the last of them is py-amqp's at times
        if connection is not None:
            connection.collect()
        kind = BrokerRefused if isinstance(error, _REFUSALS) else BrokerUnreachable
        raise kind(f"no broker lets us in at {address}: {_why(error, address, tls)}") from None
    return connection


def _why(error: Exception, address: Address, tls: TLS) -> str:
    """Say what is behind an error of TLS, or of a broker that expects it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return "it does not speak TLS there; without TLS, write amqp:// instead of amqps://"
    if not address.tls and _hung_up(error):
        return f"{error}; if it wants TLS, write amqps:// instead of amqp://"
    if address.tls and tls.cert_file is None and (_hung_up(error) or "certificate_required" in str(error).lower()):
        return f"{error}; if it wants a certificate of ours, name its file"  # its own word for it may be lost with it
    return str(error)


def _hung_up(error: Exception) -> bool:
    """Tell whether the first word that we sent was the last that was listened to."""
    return isinstance(error, ConnectionResetError) or "unexpectedly closed" in str(error) or "frame_end" in str(error)
