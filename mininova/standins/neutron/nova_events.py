"""Tells Nova what becomes of the ports of its servers, where an operator wants that (neutron: notifiers/nova.py).

A port operation only notes its event, after its commit: one thread at a time sends what there is by then, so it neither
waits nor fails when Nova's API is away.  What cannot be sent within the pauses is dropped, with a line in the log.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from oslo_config.cfg import ConfigOpts

from mininova.db.ports import Port

LOG = logging.getLogger(__name__)

Json = dict[str, Any]

PLUGGED, UNPLUGGED = "network-vif-plugged", "network-vif-unplugged"
DELETED, CHANGED = "network-vif-deleted", "network-changed"
#: What is told of the status of a port; the other two are of its data.  Each kind has a setting, as in Neutron.
OF_STATUS = (PLUGGED, UNPLUGGED)

PAUSES = (1, 2, 4, 8, 16, 32)  # seconds from each failed try of a request to its next; after the last it is dropped
TIMEOUT_S = 30  # of one try
MOST_TOGETHER = 100  # events of one request
MOST_WAITING = 10_000  # events; what comes beyond them while the API is away is dropped


class Nova:
    """Sends events to the Compute API, as the account in [keystone_authtoken].

    :param spawn: runs something in the background
    :param pauses: see PAUSES
    :param pause: lets so many seconds pass
    """

    def __init__(
        self,
        conf: ConfigOpts,
        spawn: Callable[..., object],
        *,
        pauses: Sequence[float] = PAUSES,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._network, self._account = conf.network, conf.keystone_authtoken
        self.spawn, self._pauses, self._pause = spawn, pauses, pause
        self._waiting: list[Json] = []
        self._is_sending, self._lock = False, threading.Lock()
        self._login: tuple[str, str] | None = None  # a token, and where the Compute API is

    def hears_of(self, name: str) -> bool:
        """Tell whether events of this name are sent."""
        network = self._network
        wanted: bool = (
            network.notify_nova_on_port_status_changes
            if name in OF_STATUS
            else network.notify_nova_on_port_data_changes
        )
        return wanted

    def tell(self, name: str, ports: Iterable[Port | None]) -> None:
        """Have Nova be told what has become of those ports that are a server's; what changed is committed already."""
        of_servers = [port for port in ports if port is not None and port.instance_uuid is not None]
        if not of_servers or not self.hears_of(name):
            return
        with self._lock:
            room = max(0, MOST_WAITING - len(self._waiting))
            self._waiting += [_event(name, port) for port in of_servers[:room]]
            if begins := not self._is_sending:
                self._is_sending = True
        if of_servers[room:]:
            LOG.warning("network drops %d events %s: %d wait for Nova", len(of_servers[room:]), name, MOST_WAITING)
        if begins:
            self.spawn(self._send_all)

    def _send_all(self) -> None:
        while events := self._next():
            try:
                self._send(events)
            except Exception:  # what answers may be anything: the next events are sent all the same
                LOG.exception("network cannot tell Nova %s", _said(events))

    def _next(self) -> list[Json]:
        with self._lock:
            events, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            self._is_sending = bool(events)
        return events

    # ---- one request

    def _send(self, events: Sequence[Json]) -> None:
        for pause in (*self._pauses, None):
            try:
                return _log_answer(self._post(events))
            except HTTPError as refused:
                problem: OSError = refused
                if refused.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return LOG.warning("network is refused by Nova with %s: %s", refused, _said(events))
            except OSError as away:
                problem = away
            if pause is not None:
                LOG.info("network tells Nova in %s s what it cannot tell now: %s", pause, problem)
                self._pause(pause)
        return LOG.warning("network gives up telling Nova %s: %s", _said(events), problem)

    def _post(self, events: Sequence[Json]) -> Json:
        """Send events, with a new token if the one that we have has ended."""
        known = self._login is not None
        token, url = self._login = self._login or self._log_in()
        try:
            answer, _ = _ask(f"{url}/os-server-external-events", {"events": list(events)}, {"X-Auth-Token": token})
        except HTTPError as refused:
            if refused.code != HTTPStatus.UNAUTHORIZED:
                raise
            self._login = None
            if not known:
                raise
            return self._post(events)
        return answer

    def _log_in(self) -> tuple[str, str]:
        account = self._account
        user = {"name": account.username, "password": account.password, "domain": {"name": account.user_domain_name}}
        identity = {"methods": ["password"], "password": {"user": user}}
        project = {"name": account.project_name, "domain": {"name": account.project_domain_name}}
        asked = {"auth": {"identity": identity, "scope": {"project": project}}}
        answer, headers = _ask(f"{account.auth_url}/auth/tokens", asked, {})
        return headers["X-Subject-Token"], _compute_in(answer["token"]["catalog"], account.region_name)


def _event(name: str, port: Port) -> Json:
    return {"name": name, "server_uuid": port.instance_uuid, "tag": port.id, "status": "completed"}


def _said(events: Iterable[Json]) -> str:
    return ", ".join(f"{event['name']} of {event['server_uuid']}" for event in events)


def _log_answer(answer: Json) -> None:
    for event in answer["events"]:
        level = logging.INFO if event["code"] == HTTPStatus.OK else logging.WARNING
        LOG.log(level, "Nova answers event %s of %s with %d", event["name"], event["server_uuid"], event["code"])


def _compute_in(catalog: Iterable[Json], region: str) -> str:
    """Find the Compute API in the catalog of a token.

    :raises LookupError: when it is not there
    """
    for service in catalog:
        for endpoint in service["endpoints"] if service["type"] == "compute" else ():
            if (endpoint["interface"], endpoint["region"]) == ("internal", region):
                return str(endpoint["url"])
    raise LookupError(f"the catalog has no internal endpoint of type compute in {region}")


def _ask(url: str, body: Json, headers: dict[str, str]) -> tuple[Json, Any]:
    """Post JSON, and give what comes back: the body and the headers.

    :raises HTTPError: when the answer is a refusal; any other OSError says that there is none
    """
    sent = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}, method="POST")
    try:
        with urlopen(sent, timeout=TIMEOUT_S) as answer:
            return json.loads(answer.read()), answer.headers
    except HTTPError as refusal:
        refusal.close()
        raise
