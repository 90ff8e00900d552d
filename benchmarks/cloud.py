"""A stack of its own for a benchmark, an HTTP client with little overhead, and a listener for notifications.

Nothing here polls: a notification says that a server is ACTIVE, or gone.
"""

import configparser
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import yaml

from mininova.rpc import envelope
from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.base import TOPIC, Delivery, Subscription

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from stack import ports  # noqa: E402


@contextmanager
def stack(computes: int, hosts_per_compute: int = 1, **variables: str) -> Iterator[SimpleNamespace]:
    """Run a stack with its own home and ports, without the flow; stop it afterwards.

    :param computes: how many processes, each of which stands for ``hosts_per_compute`` hosts
    :param variables: of the environment, such as MININOVA_CONCURRENCY
    """
    with tempfile.TemporaryDirectory(prefix="mininova-bench-") as folder:
        home = Path(folder) / "home"
        environment = {
            **os.environ,
            "MININOVA_HOME": str(home),
            "MININOVA_API_PORT": str(ports.pick()),
            "MININOVA_BROKER_PORT": str(ports.pick()),
            "MININOVA_COMPUTES": str(computes),
            "MININOVA_HOSTS_PER_COMPUTE": str(hosts_per_compute),
            "MININOVA_FLOW": "0",
            "MININOVA_BOOT": "0",
            **variables,
        }
        began = time.monotonic()
        subprocess.run([ROOT / "tools/stack.sh"], env=environment, check=True, stdout=subprocess.DEVNULL)
        try:
            yield SimpleNamespace(home=home, seconds=time.monotonic() - began)
        finally:
            subprocess.run([ROOT / "tools/unstack.sh", "--clean"], env=environment, stdout=subprocess.DEVNULL)


class Client:
    """One keep-alive connection to a stack's api, logged in as its demo user."""

    def __init__(self, home: Path) -> None:
        auth = yaml.safe_load((home / "clouds.yaml").read_text())["clouds"]["mininova"]["auth"]
        self.host = auth["auth_url"].split("/")[2]
        self._connection = http.client.HTTPConnection(self.host, timeout=60)
        self.token = self._log_in(auth)

    def _log_in(self, auth: dict[str, str]) -> str:
        domain = {"name": "Default"}
        user = {"name": auth["username"], "domain": domain, "password": auth["password"]}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": {"name": auth["project_name"], "domain": domain}},
            }
        }
        return str(self.request("POST", "/identity/v3/auth/tokens", body)[2]["x-subject-token"])

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any, dict[str, str]]:
        """Send one request at microversion 2.96; give status, body and headers."""
        headers = {"Content-Type": "application/json", "OpenStack-API-Version": "compute 2.96"}
        if hasattr(self, "token"):
            headers["X-Auth-Token"] = self.token
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        text = answer.read()
        lowered = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, json.loads(text) if text else None, lowered

    def boot(self, image: str, flavor: str = "1") -> str:
        """Request a server and give its id."""
        server = {"name": "bench", "imageRef": image, "flavorRef": flavor, "networks": "auto"}
        status, body, _ = self.request("POST", "/compute/v2.1/servers", {"server": server})
        assert status == 202, body
        return str(body["server"]["id"])


class Ears:
    """Hear every compute.instance.update of a stack, and let threads wait for states."""

    def __init__(self, home: Path) -> None:
        settings = configparser.RawConfigParser()
        settings.read(home / "etc/mininova.conf")
        self._transport = AMQPTransport(settings["DEFAULT"]["transport_url"])
        self._heard: dict[str, tuple[str, float]] = {}
        self._told_at: dict[str, str] = {}
        self._news = threading.Condition()
        self._transport.subscribe(
            Subscription(
                queue="notifications.info.benchmark", exchange="mininova.notifications", kind=TOPIC,
                routing_key="notifications.info",
                on_delivery=self._hear, durable=False, no_ack=True,
            )
        )  # fmt: skip
        self._transport.start()

    def _hear(self, delivery: Delivery) -> None:
        now = time.monotonic()
        event = envelope.unpack(delivery.message.body)
        if event["event_type"] != "compute.instance.update":
            return
        uuid, told_at = event["payload"]["instance_id"], event["timestamp"]
        with self._news:
            if told_at >= self._told_at.get(uuid, ""):  # several tell, and each keeps its own order only
                self._told_at[uuid], self._heard[uuid] = told_at, (event["payload"]["state"], now)
                self._news.notify_all()

    def wait(self, uuids: list[str], state: str, seconds: float = 120.0) -> float:
        """Wait until all instances are in a state; give the time at which the last one got there."""
        with self._news:
            if not self._news.wait_for(lambda: self._all_are(uuids, state), seconds):
                missing = [uuid for uuid in uuids if self._heard.get(uuid, ("",))[0] != state]
                raise TimeoutError(f"{len(missing)} of {len(uuids)} instances never became {state}: {missing[:3]}")
            return max(self._heard[uuid][1] for uuid in uuids)

    def _all_are(self, uuids: list[str], state: str) -> bool:
        return all(self._heard.get(uuid, ("",))[0] == state for uuid in uuids)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.stop()
