"""Versioned RPC and notifications over AMQP, in oslo.messaging's wire format.

A library: it imports nothing else of mininova.  Read it in the order of a message: interface (what can be asked) with
versions, peer (sending), envelope (the bytes), transports/ (the places, in memory and over AMQP), server (running it).
Beside that way are baseapi (what every server can be asked), parking (what was given up), trust/ (who may call, and how
senders are confined), watch/ (metrics, spans, the flow and the log) and notify/ (notifications).
"""

from mininova.rpc.baseapi import BaseAPI
from mininova.rpc.codec import Codec
from mininova.rpc.envelope import Request
from mininova.rpc.errors import (
    BrokerRefused,
    BrokerUnreachable,
    ConnectionLost,
    Forbidden,
    InvalidArguments,
    MalformedMessage,
    MessageRefused,
    MessageTooLong,
    MessagingTimeout,
    NoSuchMethod,
    RemoteError,
    RPCError,
    Undeliverable,
    UnsupportedVersion,
)
from mininova.rpc.interface import ANYBODY, Interface, Method, call, cast, fanout
from mininova.rpc.notify.listener import Listener
from mininova.rpc.notify.notification import Notification
from mininova.rpc.notify.notifier import Notifier
from mininova.rpc.peer import Peer
from mininova.rpc.server import Server
from mininova.rpc.transports.base import Transport
from mininova.rpc.trust.base import Trust
from mininova.rpc.trust.callers import caller
from mininova.rpc.trust.denials import Denial
from mininova.rpc.trust.gate import Gate
from mininova.rpc.versions import Levels, Version, since
from mininova.rpc.watch.base import Watch
from mininova.rpc.watch.flow import Flow, MessageEvent, Reporter

__all__ = [
    "ANYBODY", "BaseAPI", "BrokerRefused", "BrokerUnreachable", "Codec", "ConnectionLost", "Denial", "Flow",
    "Forbidden", "Gate", "Interface", "InvalidArguments", "Levels", "Listener", "MalformedMessage", "MessageEvent",
    "MessageRefused", "MessageTooLong", "MessagingTimeout", "Method", "NoSuchMethod", "Notification", "Notifier",
    "Peer", "RPCError", "RemoteError", "Reporter", "Request", "Server", "Transport", "Trust", "Undeliverable",
    "UnsupportedVersion", "Version", "Watch", "call", "caller", "cast", "fanout", "since",
]  # fmt: skip
