"""One process of the control plane, from its settings to its end.

cmd/ makes a Process, connects it, gives it what it serves (RPC interfaces, an HTTP application) and what it does
periodically, and calls ``run``, which returns after SIGTERM or SIGINT and a graceful stop.  Whether its threads are
green or native is the matter of concurrency/.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc
from mininova.notifications.publisher import make_notifier
from mininova.objects import Service
from mininova.rpc.transports.amqp.address import Passwords
from mininova.rpc.transports.base import Message
from mininova.rpc.trust.denials import OnDenied
from mininova.rpc.watch import flow
from mininova.rpc.watch.base import together
from mininova.service import broker, concurrency, log, upgrade_levels
from mininova.service.codec import CODEC
from mininova.service.http_bounds import BOUNDS, Bounds
from mininova.service.observe import Observation
from mininova.service.periodic import Periodic
from mininova.service.supervised import StopSignals, say_ready
from mininova.service.upgrade_levels import UpgradeLevels
from mininova.trust.directory import Directory
from mininova.trust.gate import NO_CHECKS, Check
from mininova.trust.processes import UNENFORCED, trust

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOG = logging.getLogger(__name__)

LAST_WORDS_S = 5.0  # seconds that the last notifications have; they need them only while the broker is away


class Process:
    """One process.

    :param name: api, scheduler, conductor or compute; with the host it names the process in the flow
    :param directory: finds the identities of computes; without it the services of the controller are known, and no
        compute
    :param checks: what the arguments of a compute must pass, method by method
    :param on_denied: called with each message that was denied
    :param passwords: for the broker, where it renews its own
    :param registered: reads which versions the services have registered; without it a conductor must be asked
    """

    def __init__(
        self,
        conf: ConfigOpts,
        name: str,
        *,
        directory: Directory | None = None,
        checks: Mapping[str, Sequence[Check]] = NO_CHECKS,
        on_denied: OnDenied | None = None,
        passwords: Passwords | None = None,
        registered: Callable[[], rpc.Levels] | None = None,
    ) -> None:
        self.conf, self.name, self.host = conf, name, conf.host
        trusted = trust(name, enforce=conf.identities.enforce, directory=directory, checks=checks, on_denied=on_denied)
        self.threads = concurrency.make()
        self.periodic = Periodic(self.threads)
        self.transport = broker.transport(conf, declares=not trusted.confined, passwords=passwords)
        self.reporter = flow.Reporter(self._publish_flow) if conf.flow.enabled else None
        self.observation = Observation(conf, name)
        self.levels = UpgradeLevels({topic: conf.upgrade_levels[topic] for topic in upgrade_levels.TOPICS}, registered)
        self.peer = rpc.Peer(
            self.transport,
            name=f"{name}.{self.host}",
            codec=CODEC,
            exchange=conf.control_exchange,
            call_timeout=conf.rpc_response_timeout,
            watch=together([*self.observation.watches, *([flow.Flow(self.reporter)] if self.reporter else [])]),
            levels=self.levels,
            trust=trusted,
            losses=broker.losses(conf.losses.file, f"{name}.{self.host}") if "losses" in conf else None,
        )
        self.notifier = make_notifier(conf, self.peer, f"{name}.{self.host}")
        self._servers: list[rpc.Server] = []
        self._http_servers: list[concurrency.HTTPServer] = []
        self._on_stopping: list[Callable[[], object]] = []
        self._endings: list[Callable[[], object]] = []

    # ---- its beginning

    def connect(self, *needs: Callable[[], object], patiently: bool = True) -> None:
        """Wait for what this process needs, and for the broker; from here on calls can be made.

        Metrics can be seen before, if the settings want them.

        :param needs: each raises errors.DatabaseAway until it is there
        :param patiently: False for a command, whose user would rather read that there is no broker
        :raises rpc.BrokerRefused: when the broker does not let us in
        :raises errors.ConfigError: when the port of the metrics is taken
        """
        if not self.conf.identities.enforce:
            LOG.warning("%s", UNENFORCED)
        if (page := self.observation.page()) is not None:
            self.serve_http(page, self.conf.metrics.listen, self.conf.metrics.port, setting="[metrics] port")
        for need in needs:
            self.periodic.patiently(need, "looking for the database")
        if patiently:
            self.periodic.patiently(self.peer.start, "connecting to the broker")
        else:
            self.peer.start()
        if self.reporter is not None:
            self.reporter.start()

    def serve(
        self,
        endpoints: Sequence[tuple[type[rpc.Interface], object]],
        host: str | None = None,
    ) -> rpc.Server:
        """Serve RPC interfaces; a compute serves its own host only, or each of its hosts.

        :param host: one of many that this process stands for: these endpoints serve its queue and no other host's
        """
        server = rpc.Server(self.peer, host or self.host, endpoints, spawn=partial(self._spawn_for, host))
        server.start()
        self._servers.append(server)
        return server

    def _spawn_for(self, host: str | None, work: Callable[..., object], *args: object) -> None:
        """Handle a message in the background; the log lines of one of many hosts name it."""
        self.threads.spawn(log.on_host(host)(work) if host else work, *args)

    def hear(self, server: rpc.Server, users: Callable[[], Collection[str]]) -> Callable[[], None]:
        """Have a server read the lanes of its senders, where identities are enforced.

        :param users: gives the names of the lanes' users, now and after each loss of the broker
        :return: reads ``users`` once more
        """

        def again() -> None:
            if self.conf.identities.enforce:
                server.hear(users())

        again()
        self.peer.on_restored = again
        return again

    def serve_http(
        self,
        app: "WSGIApplication",
        address: str,
        port: int,
        *,
        setting: str = "[api] port",
        bounds: Bounds = BOUNDS,
    ) -> None:
        """Serve an application over HTTP.

        :param setting: where the port was named
        :raises errors.ConfigError: when the port is taken
        """
        try:
            self._http_servers.append(self.threads.serve_http(address, port, app, bounds))
        except OSError as error:
            problem = f"{setting} = {port}: cannot listen on {address}: {error.strerror}"
            raise errors.ConfigError(problem=problem) from None

    @property
    def http_ports(self) -> list[int]:
        """Give the ports at which it serves HTTP, in the order in which it began to."""
        return [server.port for server in self._http_servers]

    @property
    def servers(self) -> Sequence[rpc.Server]:
        """Give what serves its RPC interfaces."""
        return self._servers

    def on_rejected(self, handler: rpc.inbox.Rejected) -> None:
        """Call a handler, in the background, for each cast of ours that its receiver refused.

        In the background, because the transport's reader hears the rejection and must not wait.
        """
        self.peer.on_rejected = partial(self.threads.spawn, handler)

    def on_parked(self, handler: rpc.inbox.Rejected) -> None:
        """Call a handler, in the background, for each cast to us that failed too often and was parked."""
        self.peer.on_parked = partial(self.threads.spawn, handler)

    def on_restored(self, work: Callable[[], object], what: str) -> None:
        """Do something more, in the background and patiently, when a broker that was away is back.

        :param what: names the work in the log
        """
        before = self.peer.on_restored

        def both() -> None:
            before()
            self.threads.spawn(self.periodic.patiently, work, what)

        self.peer.on_restored = both

    def heartbeat(self, report: Callable[[Service], object], *interfaces: type[rpc.Interface]) -> None:
        """Report this service as alive, now and every ``report_interval`` seconds.

        :param report: records the service
        :param interfaces: what it serves
        """
        service = Service(
            binary=f"nova-{self.name}",
            host=self.host,
            topic=self.name,
            versions=upgrade_levels.spoken(*interfaces),
        )

        def beat() -> None:
            report(service)
            self._tell_of_itself(service=service)

        self.periodic.every(self.conf.report_interval, beat, "the heartbeat")

    def notifier_of(self, host: str) -> rpc.Notifier:
        """Give the notifier of a host that this process stands for; it sends the way of the process's own."""
        return self.notifier.prepare(f"{self.name}.{host}")

    # ---- its life and its end

    def run(self, notify_socket: str | None = None) -> None:
        """Tell the supervisor that we are up, wait for SIGTERM or SIGINT, and stop gracefully."""
        signals = StopSignals()
        LOG.info("%s on %s is up", self.name, self.host)
        if notify_socket:
            say_ready(notify_socket, f"{self.name}@{self.host}")
        signals.wait()
        LOG.info("%s on %s is stopping", self.name, self.host)
        self.stop()

    def stop(self) -> None:
        """Take nothing new, finish what was begun, as far as there is time, and disconnect."""
        self.periodic.stop()
        for work in self._on_stopping:
            work()
        wait_s = self.conf.graceful_shutdown_timeout
        servers: list[concurrency.HTTPServer | rpc.Server] = [*self._http_servers, *self._servers]
        stops = [partial(server.stop, wait_s) for server in servers]
        if not all(self.threads.together(stops, max(1, len(stops)))):
            LOG.warning("stopped before all work was finished: its messages go back to their queues")
        for ending in self._endings:
            ending()
        self.notifier.stop(min(wait_s, LAST_WORDS_S))
        self._tell_of_itself(stopping=True)
        if self.reporter is not None:
            self.reporter.stop()
        self.peer.stop()
        self.observation.stop()

    def on_stopping(self, work: Callable[[], object]) -> None:
        """Do something before the wait for what was begun, such as to end what would go on for ever."""
        self._on_stopping.append(work)

    def at_the_end(self, work: Callable[[], object]) -> None:
        """Do something when all that was begun is finished."""
        self._endings.append(work)

    def _tell_of_itself(self, **said: object) -> None:
        """Tell those who watch the flow what the broker carries no message of."""
        if self.reporter is not None:
            self.reporter(flow.heartbeat(self.peer.name, self.transport.user_id or "", **said))

    def _publish_flow(self, body: bytes) -> None:
        report = Message(
            body=body, exchange=self.peer.way_to(flow.EXCHANGE), routing_key=flow.KEY, message_id="", app_id=self.name,
            user_id=self.transport.user_id,
        )  # fmt: skip
        try:
            self.transport.publish(report)
        except rpc.RPCError as error:
            LOG.debug("a flow report was dropped: %s", error)
