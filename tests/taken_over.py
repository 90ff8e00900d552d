"""A compute node in an attacker's hands: one broker user's credentials, and AMQP by hand.

Nothing of mininova's library is used here: what is sent is made byte by byte, and the rules that our own clients go by
bind nobody.  Each attack gets a channel of its own, since a broker that refuses something closes the channel.
"""

import base64
import configparser
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import amqp

EXCHANGE = "mininova"
REPLIES, TOLD = f"{EXCHANGE}.reply", f"{EXCHANGE}.notifications"
PATIENCE = 10.0  # seconds for an answer

#: What a broker says when it refuses: it closes the channel, or will not let us in.
REFUSALS = (amqp.exceptions.AMQPError, OSError)

NOBODY = object()  # instead of a user_id: the property is left out


def url_in(*files: Path) -> str:
    """Read the broker's address, with user and password, as a service finds it in its configuration."""
    settings = configparser.RawConfigParser(strict=False)
    settings.read(files)
    return settings["DEFAULT"]["transport_url"].replace("$$", "$")


def lane_of(user: str) -> str:
    """Name the one exchange that a compute may write to."""
    return f"{EXCHANGE}.from.{user}"


def connect(url: str, **changes: Any) -> amqp.Connection:
    """Connect as the user that a URL names; publishing waits until the broker has taken the message, or refused it."""
    parts = urlsplit(url)
    usual = {
        "userid": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "confirm_publish": True,
    }
    timeouts = {"connect_timeout": PATIENCE, "read_timeout": PATIENCE}
    connection = amqp.Connection(host=f"{parts.hostname}:{parts.port}", **{**usual, **timeouts, **changes})
    connection.connect()
    return connection


def own_object(name: str, /, version: str = "1.0", **data: Any) -> dict[str, Any]:
    """Write an object as it travels."""
    return {
        "versioned_object.name": name,
        "versioned_object.namespace": "mininova",
        "versioned_object.version": version,
        "versioned_object.data": data,
    }


def changed(wire: Mapping[str, Any], **data: Any) -> dict[str, Any]:
    """Give an object that travels with some of its fields changed, or with more of them."""
    return {**wire, "versioned_object.data": {**wire["versioned_object.data"], **data}}


@dataclass(frozen=True)
class Answer:
    """What came back on a request.

    :param failure: the error: its class, message and details; None when it was done
    :param rejected: the refused cast, when it came back
    :param user_id: who answers, as the broker says
    """

    result: Any
    failure: dict[str, Any] | None
    rejected: bytes | None
    user_id: str | None

    @property
    def error(self) -> str | None:
        """Name the class of the error."""
        return None if self.failure is None else str(self.failure["class"])


@dataclass
class TakenOver:
    """One compute, taken over.

    :param url: how it reaches the broker, with its password
    :param host: the host that it stands for
    """

    url: str
    host: str
    user: str = field(init=False)
    lane: str = field(init=False)
    connection: amqp.Connection = field(init=False)
    reply_queue: str = field(init=False)
    _heard: dict[str, Answer] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.user = unquote(urlsplit(self.url).username or "")
        self.lane = lane_of(self.user)
        self.connection = connect(self.url)
        self.reply_queue = f"reply_compute.{self.host}_{uuid4().hex}"
        own = self.connection.channel()
        own.queue_declare(self.reply_queue, durable=False, auto_delete=False, arguments={"x-expires": 600_000})
        own.queue_bind(self.reply_queue, REPLIES, self.reply_queue)
        own.basic_consume(self.reply_queue, no_ack=True, callback=self._hear)

    def close(self) -> None:
        """Leave the broker."""
        with suppress(*REFUSALS):
            self.connection.close()

    @contextmanager
    def channel(self) -> Iterator[amqp.Channel]:
        """Open a channel for one attack."""
        channel = self.connection.channel()
        try:
            yield channel
        finally:
            with suppress(*REFUSALS):
                channel.close()

    # ---- sending

    def publish(
        self, key: str, body: bytes | str, *, exchange: str | None = None, user_id: object = None, **properties: Any
    ) -> bool:
        """Publish, and tell, when the broker has taken it, whether it had a queue for it.

        :param exchange: None is the attacker's lane
        :param user_id: what the property says; None gives our own, NOBODY leaves it out
        """
        if user_id is not NOBODY:
            properties["user_id"] = user_id or self.user
        headers = properties.pop("headers", None)
        plain = body.encode(errors="surrogatepass") if isinstance(body, str) else body
        message = amqp.Message(plain, application_headers=headers, **properties)
        returned: list[object] = []
        with self.channel() as channel:
            channel.events["basic_return"].add(lambda *args: returned.append(args))
            exchange = self.lane if exchange is None else exchange
            channel.basic_publish(message, exchange=exchange, routing_key=key, mandatory=True)
        return not returned

    def ask(
        self, method: str, args: Any, *, key: str = "conductor", properties: Mapping[str, Any] = {}, **payload: Any
    ) -> Answer:
        """Make a call, and wait for its answer.

        :param payload: keys of the message to add, or to change
        """
        return self.send(request(method, args, **payload), key, **properties)

    def cast(
        self, method: str, args: Any, *, key: str = "conductor", properties: Mapping[str, Any] = {}, **payload: Any
    ) -> Answer:
        """Send a cast that is to be refused, and wait until it comes back."""
        return self.send(request(method, args, **payload, _msg_id=None), key, **properties)

    def send(self, body: bytes | str, key: str = "conductor", **properties: Any) -> Answer:
        """Send bytes, and wait for the answer to them."""
        message_id = properties.setdefault("message_id", _msg_id_of(body) or uuid4().hex)
        self.publish(key, body, **{"reply_to": self.reply_queue, **properties})
        return self.answer_to(message_id)

    # ---- answers

    def answer_to(self, message_id: str, within: float = PATIENCE) -> Answer:
        """Wait for what comes back on a message."""
        until = time.monotonic() + within
        while message_id not in self._heard:
            self.connection.drain_events(timeout=max(0.01, until - time.monotonic()))
        return self._heard.pop(message_id)

    def is_silent(self, message_id: str, within: float = 1.0) -> bool:
        """Tell whether nothing comes back for so many seconds."""
        try:
            self.answer_to(message_id, within)
        except TimeoutError:
            return True
        return False

    def _hear(self, message: amqp.Message) -> None:
        said = json.loads(json.loads(message.body)["oslo.message"])
        if said.get("ending", True):
            self._heard[said["_msg_id"]] = Answer(
                result=said.get("result"),
                failure=json.loads(said["failure"]) if said.get("failure") else None,
                rejected=base64.b64decode(said["rejected"]) if said.get("rejected") else None,
                user_id=message.properties.get("user_id"),
            )

    # ---- own queue

    def take(self, method: str, within: float = PATIENCE) -> amqp.Message:
        """Take from the host's own queue what asks for a method; what came before it is thrown away."""
        came: list[amqp.Message] = []
        until = time.monotonic() + within
        with self.channel() as channel:
            channel.basic_qos(0, 1, False)
            tag = channel.basic_consume(f"compute.{self.host}", callback=came.append)
            while not came or payload_of(came[-1])["method"] != method:
                for message in came:
                    channel.basic_ack(message.delivery_tag)
                came.clear()
                self.connection.drain_events(timeout=max(0.01, until - time.monotonic()))
            channel.basic_cancel(tag)
            channel.basic_ack(came[-1].delivery_tag)
        return came[-1]


@contextmanager
def dying_queue(attacker: TakenOver, key_of_the_dead: str) -> Iterator[None]:
    """Make a queue for what the attacker is sent, in which it dies at once and goes by the attacker's lane."""
    name = f"compute.{attacker.host}.pause.9"
    letters = {
        "x-message-ttl": 0, "x-dead-letter-exchange": attacker.lane, "x-dead-letter-routing-key": key_of_the_dead
    }  # fmt: skip
    with attacker.channel() as channel:
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=letters)
        channel.queue_bind(name, EXCHANGE, f"compute.{attacker.host}")
        yield
        channel.queue_delete(name)


def payload_of(message: amqp.Message) -> dict[str, Any]:
    """Read a message that has the usual envelope."""
    return dict(json.loads(json.loads(message.body)["oslo.message"]))


def request(method: str, args: Any, **payload: Any) -> str:
    """Write a request as any service does: a call, unless ``_msg_id`` is None."""
    said = {
        "method": method, "args": args, "version": "1.0", "_unique_id": uuid4().hex, "_msg_id": uuid4().hex,
        "_context_request_id": f"req-{uuid4()}", "_context_user_id": "admin", "_context_is_admin": True,
        "_context_roles": ["admin", "service"], **payload,
    }  # fmt: skip
    return enveloped({name: value for name, value in said.items() if value is not None})


def reply(msg_id: str, result: Any = None, **more: Any) -> str:
    """Write a reply as any service does."""
    return enveloped({"result": result, "failure": None, "ending": True, "_msg_id": msg_id, **more})


def enveloped(payload: object) -> str:
    """Put a payload into the usual envelope."""
    return json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(payload)})


def _msg_id_of(body: bytes | str) -> str | None:
    """Find the id that a call says itself, so that the property agrees with it."""
    try:
        found = json.loads(json.loads(body)["oslo.message"]).get("_msg_id")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, str) else None
