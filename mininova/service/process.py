"""A process of the control plane: its end of the messaging, its heartbeat, its periodic work, its end.

cmd/ makes a Process, gives it managers to serve or a WSGI application, and calls ``run``, which returns after a
SIGTERM or SIGINT and a graceful stop.  Beside cmd/__init__.py and http_server.py this is the only module that
knows eventlet; the RPC layer and the managers use ``threading``, whose primitives are green here and plain elsewhere.
"""

import contextlib
import logging
import random
import signal
import socket
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import eventlet
from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc
from mininova.notifications.publisher import make_notifier
from mininova.objects import Service
from mininova.rpc.transports.base import Message
from mininova.rpc.trust.denials import OnDenied
from mininova.rpc.watch import flow
from mininova.rpc.watch.base import together
from mininova.service import broker, http_server, log, upgrade_levels
from mininova.service.codec import CODEC
from mininova.service.observe import Observation
from mininova.service.periodic import Rounds
from mininova.service.upgrade_levels import UpgradeLevels
from mininova.trust.directory import Directory
from mininova.trust.gate import NO_CHECKS, Check
from mininova.trust.processes import trust

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOG = logging.getLogger(__name__)

_LAST_WORDS = 5.0  # seconds that the last notifications have; only a broker that is away needs them
_AT_A_TIME = 16  # things that are done at once of many of a kind: enough to keep the broker and a conductor busy
_SPREAD = 30.0  # seconds, so that the hosts do not all come at the same instant to say that an hour is over


class Process:
    """One process, from its settings to its end.

    :param name: api, scheduler, conductor or compute; with the host it is who others see in the flow
    :param directory: finds the identities of computes; without it the services of the controller are known, and no
        compute
    :param checks: what the arguments of a compute must pass, method by method
    :param on_denied: called with each message that was denied
    """

    def __init__(
        self,
        conf: ConfigOpts,
        name: str,
        *,
        directory: Directory | None = None,
        checks: Mapping[str, Sequence[Check]] = NO_CHECKS,
        on_denied: OnDenied | None = None,
    ) -> None:
        self.conf, self.name, self.host = conf, name, conf.host
        trusted = trust(name, enforce=conf.identities.enforce, directory=directory, checks=checks, on_denied=on_denied)
        self.transport = broker.transport(conf, declares=not trusted.confined)
        self.reporter = flow.Reporter(self._publish_flow) if conf.flow.enabled else None
        self.observation = Observation(conf, name)
        self.levels = UpgradeLevels({topic: conf.upgrade_levels[topic] for topic in upgrade_levels.TOPICS})
        self.peer = rpc.Peer(
            self.transport,
            name=f"{name}.{self.host}",
            codec=CODEC,
            exchange=conf.control_exchange,
            call_timeout=conf.rpc_response_timeout,
            watch=together([*self.observation.watches, *([flow.Flow(self.reporter)] if self.reporter else [])]),
            levels=self.levels,
            trust=trusted,
        )
        self.notifier = make_notifier(conf, self.peer, f"{name}.{self.host}")
        self._servers: list[rpc.Server] = []
        self._endings: list[Callable[[], object]] = []
        self._sockets: list[socket.socket] = []

    # ---- parts

    def notifier_of(self, host: str) -> rpc.Notifier:
        """Give the notifier of a host that this process stands for; what it tells goes the way of the process's own."""
        return self.notifier.prepare(f"{self.name}.{host}")

    def on_rejected(self, handler: rpc.inbox.Rejected) -> None:
        """Have a handler told of each cast of ours that its receiver refused.

        It runs in a green thread of its own: rejections are heard by the reader, which must not wait.
        """
        self.peer.on_rejected = lambda *args: eventlet.spawn_n(handler, *args)

    def connect(self) -> None:
        """Connect to the broker; from here on calls can be made, and metrics seen where they are wanted.

        :raises rpc.RPCError: when it cannot be reached
        :raises errors.ConfigError: when the port of the metrics is taken
        """
        if not self.conf.identities.enforce:
            LOG.warning("[identities] enforce = false: whoever may use the broker may ask anything of anybody")
        self.peer.start()
        if self.reporter is not None:
            self.reporter.start()
        if (page := self.observation.page()) is not None:
            self.serve_http(page, self.conf.metrics.listen, self.conf.metrics.port, setting="[metrics] port")

    def serve(
        self,
        endpoints: Sequence[tuple[type[rpc.Interface], object]],
        host: str | None = None,
    ) -> rpc.Server:
        """Serve RPC interfaces; a compute serves nothing but its own host, or each of its hosts.

        :param host: one of many that this process stands for: what comes to its queue is for these endpoints, and for
            no other host's
        """
        server = rpc.Server(self.peer, host or self.host, endpoints, spawn=partial(_in_background, host))
        server.start()
        self._servers.append(server)
        return server

    def hear(self, server: rpc.Server, users: Callable[[], Collection[str]]) -> Callable[[], None]:
        """Have a server read the lanes of its senders, where identities are enforced.

        :param users: names whose those are; it is asked now, and after each loss of the broker
        :return: asks once more
        """

        def again() -> None:
            if self.conf.identities.enforce:
                server.hear(users())

        again()
        self.peer.on_restored = again
        return again

    def serve_http(self, app: "WSGIApplication", address: str, port: int, *, setting: str = "[api] port") -> None:
        """Serve an application over HTTP.

        :param setting: where the port was named
        :raises errors.ConfigError: when the port is taken
        """
        try:
            listener = eventlet.listen((address, port), backlog=1024, reuse_port=False)  # else a second api shares it
        except OSError as error:
            raise errors.ConfigError(
                problem=f"{setting} = {port}: cannot listen on {address}: {error.strerror}"
            ) from None
        self._sockets.append(listener)
        eventlet.spawn_n(http_server.serve, listener, app)

    @staticmethod
    def aside(work: Callable[..., object], *args: object) -> None:
        """Do something in the background."""
        eventlet.spawn_n(work, *args)

    def at_the_end(self, work: Callable[[], object]) -> None:
        """Do something when all that was begun is finished."""
        self._endings.append(work)

    def all_of(self, works: Iterable[Callable[[], object]]) -> None:
        """Do several things, some at a time, and return when all are done; the first failure is the caller's."""
        _together(works, _AT_A_TIME)

    def every(self, seconds: float, work: Callable[[], object], what: str) -> None:
        """Do something now and then periodically, a little unevenly; a failure is logged and the next turn comes.

        The first time is done before this returns, and its failure is the caller's.
        """
        self.each_every(seconds, [work], what)

    def each_every(self, seconds: float, works: Sequence[Callable[[], object]], what: str) -> None:
        """Do several things as ``every`` does one: later in turn, so that they are spread over the period."""
        self.all_of(works)
        eventlet.spawn_n(self._make_rounds, Rounds(seconds, works), what)

    def _make_rounds(self, rounds: Rounds, what: str) -> None:
        while True:
            eventlet.sleep(rounds.left())
            if (work := rounds.turn()) is not None:
                eventlet.spawn_n(self._do, work, what)

    def _do(self, work: Callable[[], object], what: str) -> None:
        try:
            work()
        except rpc.RPCError as error:
            LOG.warning("%s: %s", what, error)
        except Exception:  # whatever it was, the next turn may do better
            LOG.exception("%s failed", what)

    def at_the_end_of(self, left: Callable[[], float], works: Sequence[Callable[[], object]], what: str) -> None:
        """Do things in the background, one after the other, now and each time that a period is over; patiently.

        :param left: gives the seconds that are left of the period under way
        """
        eventlet.spawn_n(self._repeat_at_the_end_of, left, works, what)

    def _repeat_at_the_end_of(
        self, left: Callable[[], float], works: Sequence[Callable[[], object]], what: str
    ) -> None:
        while True:
            for work in works:
                try:
                    self.patiently(work, what)
                except Exception:  # whatever it was, the next turn may do better
                    LOG.exception("%s failed", what)
            eventlet.sleep(left() + random.uniform(0, _SPREAD))

    def patiently(self, work: Callable[[], object], what: str) -> None:
        """Do something that needs a service which may not be up yet: again, after growing and uneven pauses."""
        pause = 0.05
        while True:
            try:
                work()
                return
            except (rpc.Undeliverable, rpc.MessagingTimeout, rpc.ConnectionLost) as error:
                LOG.warning("%s: %s; trying again", what, error)
            eventlet.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, 5.0)

    def heartbeat(self, report: Callable[[Service], object], *interfaces: type[rpc.Interface]) -> None:
        """Report this service as alive, now and every ``report_interval`` seconds.

        :param report: takes the service and has it recorded
        :param interfaces: what it serves
        """
        service = Service(
            binary=f"nova-{self.name}",
            host=self.host,
            topic=self.name,
            versions=upgrade_levels.spoken(*interfaces),
        )
        self.every(self.conf.report_interval, lambda: report(service), "the heartbeat")

    # ---- life

    def run(self, notify_socket: str | None = None) -> None:
        """Tell whoever started us that we are up, wait for SIGTERM or SIGINT, and stop gracefully."""
        signals = _signals()
        LOG.info("%s on %s is up", self.name, self.host)
        if notify_socket:
            _notify_ready(notify_socket, f"{self.name}@{self.host}")
        signals.recv(1)
        LOG.info("%s on %s is stopping", self.name, self.host)
        self.stop()

    def stop(self) -> None:
        """Take nothing new, finish what was begun, disconnect."""
        for listener in self._sockets:
            listener.close()
        wait = self.conf.graceful_shutdown_timeout
        if not all(_together([partial(server.stop, wait) for server in self._servers], len(self._servers))):
            LOG.warning("stopped before all work was finished; its messages go back to their queues")
        for ending in self._endings:
            ending()
        self.notifier.stop(min(wait, _LAST_WORDS))
        if self.reporter is not None:
            self.reporter.stop()
        self.peer.stop()
        self.observation.stop()

    # ---- small parts

    def _publish_flow(self, body: bytes) -> None:
        event = Message(body=body, exchange=flow.EXCHANGE, routing_key=flow.KEY, message_id="", app_id=self.name)
        try:
            self.transport.publish(event)
        except rpc.RPCError as error:
            LOG.debug("a flow report was dropped: %s", error)


def _together(works: Iterable[Callable[[], Any]], at_a_time: int) -> list[Any]:
    """Do several things in green threads, so many at a time, and give what came of each."""
    return list(eventlet.GreenPool(max(1, at_a_time)).imap(lambda work: work(), works))


def _in_background(host: str | None, work: Callable[..., object], *args: object) -> None:
    """Do something in a green thread; what it logs names the host that it is for, if it is one of many."""
    eventlet.spawn_n(log.on_host(host)(work) if host else work, *args)


def _signals() -> socket.socket:
    """Give a socket on which a byte arrives for each signal to stop: the one thing that wakes eventlet's hub."""
    ours, pythons = socket.socketpair()
    pythons.setblocking(False)
    signal.set_wakeup_fd(pythons.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    ours._wakes = pythons  # type: ignore[attr-defined]  # lives as long as its reader
    return ours


def _notify_ready(address: str, who: str) -> None:
    """Say that this process is up, in systemd's sd_notify protocol; ``@name`` is an abstract socket.

    Nobody may be listening: who started us first need not be there any more when we are started again.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram, contextlib.suppress(OSError):
        datagram.connect("\0" + address[1:] if address.startswith("@") else address)
        datagram.send(f"READY=1\nSTATUS={who}".encode())
