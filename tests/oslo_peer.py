"""A process that speaks with the real oslo.messaging, for tests/contracts/test_oslo_interop.py.

It is a process of its own because oslo.messaging keeps threads, and options in a global of oslo.config.  Each line
of its input is a JSON object that names something to do; the answer is a line on its output, ``{"answer": …}``.
What its servers and listeners hear is a line, too: ``{"heard": …}``.

    python oslo_peer.py URL
"""

import json
import sys
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging._metrics.client import oslo_messaging_metrics
from oslo_messaging._tracing.client import oslo_messaging_tracing
from oslo_messaging.rpc.dispatcher import _dispatcher_opts

cfg.CONF.register_opts(_dispatcher_opts)

URL = sys.argv[1].replace("amqp://", "rabbit://")
CTXT = {"request_id": "req-oslo"}

_writing = threading.Lock()
_servers: list[Any] = []


def say(**line: Any) -> None:
    """Write one line."""
    with _writing:
        print(json.dumps(line), flush=True)


def options(exchange: str) -> cfg.ConfigOpts:
    """Give what docs/rpc/wire.md says that a peer needs."""
    conf = cfg.ConfigOpts()
    conf.register_opts(oslo_messaging_metrics, group="oslo_messaging_metrics")  # otherwise only the global one
    conf.register_opts(oslo_messaging_tracing, group="oslo_messaging_tracing")  # would have them
    conf([], default_config_files=[])
    oslo_messaging.get_rpc_transport(conf, url=URL).cleanup()  # so that the options below are known
    conf.set_override("control_exchange", exchange)
    conf.set_override("amqp_durable_queues", True, group="oslo_messaging_rabbit")
    return conf


@cache
def transport(exchange: str, *allowed: str) -> Any:
    """Connect for RPC."""
    return oslo_messaging.get_rpc_transport(options(exchange), url=URL, allowed_remote_exmods=list(allowed))


@cache
def notification_transport(exchange: str) -> Any:
    """Connect for notifications."""
    return oslo_messaging.get_notification_transport(options(exchange), url=URL)


class Context(dict[str, Any]):
    """A context that a notifier sends: of a mere dict it sends nothing, for fear of a token."""

    def redacted_copy(self) -> dict[str, Any]:
        """Give what may travel."""
        return dict(self)


class LampBroken(Exception):
    """Has the name of an error that the other side knows."""

    kwargs = {"name": "desk"}


class Lamps:
    """What a server here can be asked."""

    def __init__(self, version: str) -> None:
        self.target = oslo_messaging.Target(version=version)

    def get(self, ctxt: dict[str, Any], name: str) -> dict[str, Any]:
        """Look at a lamp; some cannot be looked at."""
        say(heard=["get", ctxt["request_id"], name])
        if name == "broken":
            raise LampBroken("the filament is gone")
        if name == "missing":
            raise LookupError("no such lamp")
        return {"name": name, "watts": 60}

    def switch(self, ctxt: dict[str, Any], **args: Any) -> None:
        """Switch a lamp on."""
        say(heard=["switch", ctxt["request_id"], args])

    def dim(self, ctxt: dict[str, Any], percent: int) -> None:
        """Dim every lamp."""
        say(heard=["dim", ctxt["request_id"], percent])


class Base:
    """What any server of Nova's can be asked (nova: baserpc.py)."""

    target = oslo_messaging.Target(namespace="baseapi", version="1.1")

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def ping(self, ctxt: dict[str, Any], arg: Any) -> dict[str, Any]:
        """Answer."""
        return {"service": self._topic, "arg": arg}


class Listener:
    """Hears notifications of two priorities."""

    def info(self, ctxt: dict[str, Any], publisher: str, event_type: str, payload: Any, metadata: Any) -> None:
        """Hear that something happened."""
        say(heard=["info", ctxt["request_id"], publisher, event_type, payload])

    def error(self, ctxt: dict[str, Any], publisher: str, event_type: str, payload: Any, metadata: Any) -> None:
        """Hear that something went wrong."""
        say(heard=["error", ctxt["request_id"], publisher, event_type, payload])


# ---- what can be asked of this process


def send(exchange: str, topic: str, how: str, method: str, args: Any, allowed: Sequence[str] = (), **more: Any) -> Any:
    """Call or cast; an error is described."""
    client = oslo_messaging.get_rpc_client(transport(exchange, *allowed), oslo_messaging.Target(topic=topic))
    try:
        return {"result": getattr(client.prepare(**more), how)(CTXT, method, **args)}
    except Exception as error:
        told = {name: getattr(error, name, None) for name in ("exc_type", "value", "details")}
        return {"error": type(error).__name__, **told}


def serve(exchange: str, topic: str, server: str, version: str = "1.2", ping: bool = False) -> None:
    """Start a server of the lamps; its queues are there afterwards."""
    cfg.CONF.set_override("rpc_ping_enabled", ping)  # oslo.messaging reads this one from the global options
    target, endpoints = oslo_messaging.Target(topic=topic, server=server), [Lamps(version), Base(topic)]
    _start(oslo_messaging.get_rpc_server(transport(exchange), target, endpoints, executor="threading"))


def listen(exchange: str, topic: str) -> None:
    """Start a listener for notifications; its queues are there afterwards."""
    where, targets = notification_transport(exchange), [oslo_messaging.Target(topic=topic)]
    _start(oslo_messaging.get_notification_listener(where, targets, [Listener()], executor="threading"))


def _start(server: Any) -> None:
    server.start()
    _servers.append(server)


def notify(exchange: str, topic: str, priority: str, event_type: str, payload: Any) -> None:
    """Emit a notification."""
    notifier = oslo_messaging.Notifier(notification_transport(exchange), "lamp.oslo", "messagingv2", topics=[topic])
    getattr(notifier, priority)(Context(CTXT), event_type, payload)


def stop() -> None:
    """Stop all servers and listeners."""
    while _servers:
        server = _servers.pop()
        server.stop()
        server.wait()


DO = {function.__name__: function for function in (send, serve, listen, notify, stop)}

if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        say(answer=DO[asked.pop("do")](**asked))
