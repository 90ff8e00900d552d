"""Runs rabbitmqctl, for what AMQP cannot do: make, list and remove the broker's users.

Each method is one run of the command, because a run takes a second.
"""

import json
import shlex
import subprocess
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.trust.broker.definitions import Definitions

_GONE = ("no_such_user", "does not exist")


class BrokerAdmin:
    """The command of ``[broker_admin] command``: RabbitMQ's ``rabbitmqctl``, or one that takes the same arguments."""

    def __init__(self, conf: ConfigOpts) -> None:
        self._command, self._timeout = conf.broker_admin.command, conf.broker_admin.timeout

    def define(self, definitions: Definitions) -> None:
        """Make users, queues and exchanges, or change those that are there."""
        self._run("import_definitions", "--format", "json", given=json.dumps(definitions))

    def defined(self) -> dict[str, Any]:
        """Export the broker's users, rights, queues and exchanges."""
        return dict(json.loads(self._run("export_definitions", "-", "--format", "json")))

    def disconnect(self, user: str, why: str) -> None:
        """Close every connection of a user."""
        self._run("close_all_user_connections", user, why)

    def remove(self, user: str) -> bool:
        """Remove a user and its connections; tell whether it existed."""
        try:
            self._run("delete_user", user)
        except errors.BrokerAdminFailed as error:
            if not any(said in str(error).lower() for said in _GONE):
                raise
            return False
        return True

    def _run(self, *words: str, given: str = "") -> str:
        command = [*shlex.split(self._command), "--quiet", *words]
        try:
            done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=self._timeout)
        except OSError as error:
            raise errors.BrokerAdminFailed(command=command[0], reason=error.strerror) from None
        except subprocess.TimeoutExpired:
            raise errors.BrokerAdminFailed(
                command=command[0], reason=f"it did not end within {self._timeout} s"
            ) from None
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())
            raise errors.BrokerAdminFailed(command=f"{command[0]} {words[0]}", reason=said)
        return done.stdout
