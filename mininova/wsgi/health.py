"""What ``GET /healthcheck`` looks at: whether the database answers, and whether we are connected to the broker.

It is a backend of oslo.middleware's health check, by the name ``mininova`` (``[healthcheck] backends``).  An api that
waits for one of the two answers 503, so that a balancer leaves it alone until it is there.
"""

from typing import Any

from oslo_config.cfg import ConfigOpts
from oslo_middleware.healthcheck.pluginbase import HealthcheckBaseExtension, HealthcheckResult

from mininova import errors
from mininova.wsgi.deploy import current_parts


class DatabaseAndBroker(HealthcheckBaseExtension):  # type: ignore[misc]  # oslo.middleware has no types
    """Looks at what the api cannot do without."""

    def __init__(self, oslo_conf: ConfigOpts, conf: dict[str, Any]) -> None:
        super().__init__(oslo_conf, conf)
        self._parts = current_parts()

    def healthcheck(self, server_port: int) -> HealthcheckResult:
        """Say what is missing, in words that name no machine."""
        missing = [what for what, there in (("database", self._database()), ("broker", self._broker())) if not there]
        reason = f"waiting for the {' and the '.join(missing)}" if missing else "OK"
        return HealthcheckResult(available=not missing, reason=reason)

    def _database(self) -> bool:
        try:
            with self._parts.db.read(patience=0):
                return True
        except errors.DatabaseNotReady:
            return False

    def _broker(self) -> bool:
        return self._parts.peer.transport.is_connected
