"""Hears every message of a broker: RabbitMQ's own trace tells each when it is published and when it is handed out.

Source: https://www.rabbitmq.com/docs/firehose
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import amqp

from mininova import broker_definitions

USER, PASSWORD = "tap", "tap"
TRACE = "amq.rabbitmq.trace"


@dataclass(frozen=True)
class Heard:
    """A message, once for each time that it was heard.

    :param how: ``publish`` to an exchange, or ``deliver`` from a queue
    :param where: the exchange or the queue
    :param properties: its AMQP properties, its headers among them
    """

    how: str
    where: str
    routing_keys: tuple[str, ...]
    properties: Mapping[str, Any]
    body: bytes

    @property
    def all(self) -> bytes:
        """Everything that travelled."""
        return repr((self.where, self.routing_keys, self.properties)).encode() + b"\n" + self.body

    @property
    def payload(self) -> dict[str, Any]:
        """What is in the usual envelope; nothing for what has none."""
        try:
            return dict(json.loads(json.loads(self.body)["oslo.message"]))
        except (ValueError, TypeError, KeyError):
            return {}


class Tap:
    """Keeps all that passes from here on, in a queue of its own.

    :param rabbitmqctl: of the broker
    :param folder: for a file
    """

    def __init__(self, rabbitmqctl: Path, port: int, folder: Path) -> None:
        definitions = {
            "users": [broker_definitions.user(USER, PASSWORD)],
            "permissions": [{"user": USER, "vhost": "/", "configure": "^tap$", "write": "^tap$", "read": ".*"}],
        }
        (folder / "tap.json").write_text(json.dumps(definitions))
        for words in (("import_definitions", folder / "tap.json"), ("trace_on",)):
            subprocess.run([rabbitmqctl, "-q", *words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._connection = amqp.Connection(f"127.0.0.1:{port}", USER, PASSWORD)
        self._connection.connect()
        self._channel = self._connection.channel()
        self._channel.queue_declare("tap", exclusive=True)
        self._channel.queue_bind("tap", TRACE, "#")

    def drain(self) -> Iterator[Heard]:
        """Give what was heard so far; all of what was said by those who are gone by now."""
        while (told := self._channel.basic_get("tap", no_ack=True)) is not None:
            how, _, where = told.delivery_info["routing_key"].partition(".")
            headers = told.headers
            body = told.body.encode() if isinstance(told.body, str) else bytes(told.body)
            yield Heard(how, where, tuple(headers["routing_keys"]), headers["properties"], body)

    def close(self) -> None:
        """Hear nothing any more."""
        self._connection.close()
