"""Declare what messages go through: exchanges, queues and bindings, on a channel for nothing else.

The broker answers in the order in which it was asked, so any number of threads may ask at once.  When it refuses, it
closes the channel; nothing else uses this one, and we open it again.
"""

import re
import threading
import time
from collections import deque

from mininova.rpc.errors import ConnectionLost, MessagingTimeout, RPCError, Undeliverable
from mininova.rpc.transports.amqp import frames
from mininova.rpc.transports.amqp.dialects import Arguments, Dialect
from mininova.rpc.transports.amqp.frames import DECLARING, Content
from mininova.rpc.transports.amqp.link import Link
from mininova.rpc.transports.base import TOPIC, Waiter

_NOT_FOUND = 404


class Refused(RPCError):
    """The broker will not declare a place: it exists and is of another kind, or we may not."""


class Missing(Refused):
    """An exchange or a queue is not there, and it is not ours to make."""


class Places:
    """The exchanges and queues of one connection.

    :param dialect: of the broker: it writes the arguments of queues
    :param quorum: whether durable queues are quorum queues, which live on several brokers of a cluster
    :param declares: whether we make exchanges and what we read; a process that may not finds them made
    """

    def __init__(self, link: Link, dialect: Dialect, *, quorum: bool = False, declares: bool = True) -> None:
        self._link, self.dialect, self._quorum, self.declares = link, dialect, quorum, declares
        self._durably: Arguments = dialect.quorum if quorum else {}
        self._exchanges: set[str] = set()
        self._asking, self._questions = threading.Lock(), deque[Waiter]()
        for answer in frames.EXCHANGE_DECLARE_OK, frames.QUEUE_DECLARE_OK, frames.QUEUE_BIND_OK:
            link.on[DECLARING, answer] = self._answered
        link.on[DECLARING, frames.CHANNEL_CLOSE] = self._refused
        link.at_end.append(self._ended)

    # ---- places

    def exchange(self, name: str, timeout: float) -> None:
        """Declare a topic exchange, once; the default one needs none."""
        if name and name not in self._exchanges and self.declares:
            self._ask(f"exchange {name}", timeout, declare_exchange(DECLARING, name, TOPIC))
            self._exchanges.add(name)

    def queue(self, name: str, exchange: str, kind: str, key: str, *, durable: bool, timeout: float) -> None:
        """Declare a queue and bind it, and return when the broker has done so."""
        what = self._durably if durable else self.dialect.passing
        self._queue(name, exchange, kind, key, what, durable, timeout)

    def to_read(self, name: str, exchange: str, kind: str, key: str, *, durable: bool, timeout: float) -> None:
        """See that there is a queue for us to read, and make it if we may.

        :raises Missing: there is none, and we may not make it
        """
        if not self.declares:
            try:
                return self.check(name, timeout)
            except Undeliverable:
                pass
        try:
            self.queue(name, exchange, kind, key, durable=durable, timeout=timeout)
        except Refused as error:
            raise error if self.declares or isinstance(error, Missing) else Missing(str(error)) from None

    def queue_for_others(self, name: str, exchange: str, key: str, timeout: float) -> None:
        """Declare a durable queue that others are to read, and bind it."""
        self._queue(name, exchange, TOPIC, key, {**self._durably, **self.dialect.for_others}, True, timeout)

    def pause(self, name: str, exchange: str, key: str, *, seconds: float, back_to: str, timeout: float) -> None:
        """Declare a queue in which messages wait, and then go to the exchange again under another key."""
        what = self.dialect.pause(exchange, back_to, seconds)
        if self._quorum:
            what = {**what, **self.dialect.quorum, **self.dialect.quorum_pause}
        self._queue(name, exchange, TOPIC, key, what, True, timeout)

    def _queue(
        self, name: str, exchange: str, kind: str, key: str, what: Arguments, durable: bool, timeout: float
    ) -> None:
        if kind == TOPIC:
            self.exchange(exchange, timeout)
        else:
            self._ask(f"exchange {exchange}", timeout, declare_exchange(DECLARING, exchange, kind))
        passive = exclusive = no_wait = False
        auto_delete = self.dialect.passes_with_reader and not durable
        declare = frames.method(
            DECLARING, frames.QUEUE_DECLARE, "BsbbbbbF",
            0, name, passive, durable, exclusive, auto_delete, no_wait, what,
        )  # fmt: skip
        self._ask(f"queue {name}", timeout, declare)
        bind = frames.method(DECLARING, frames.QUEUE_BIND, "BsssbF", 0, name, exchange, key, no_wait, {})
        self._ask(f"queue {name}", timeout, bind)

    def check(self, queue: str, timeout: float) -> None:
        """See that a queue is there.

        :raises Undeliverable: it is not
        """
        passive = durable = True
        declare = frames.method(
            DECLARING, frames.QUEUE_DECLARE, "BsbbbbbF", 0, queue, passive, durable, False, False, False, {}
        )
        self._ask(f"queue {queue}", timeout, declare)

    # ---- questions and answers

    def _ask(self, what: str, timeout: float, question: bytes) -> None:
        until = time.monotonic() + timeout
        error: Exception | None = _UNHEARD
        while error is _UNHEARD:
            answer = Waiter()
            with self._asking:
                self._questions.append(answer)
                self._link.write(question)
            if not answer.wait(until - time.monotonic()):
                raise MessagingTimeout(f"the broker did not declare the {what} in time{self._link.excuse()}")
            error = answer.error
        if error is not None:
            raise error.named(what) if isinstance(error, _Close) else error

    def _answered(self, payload: bytes, content: Content) -> None:
        self._questions.popleft().set()

    def _refused(self, payload: bytes, content: Content) -> None:
        """Open the channel again; the first question is the one that was refused, and the others were not heard."""
        with self._asking:
            (refused, *unheard), self._questions = self._questions, deque()
            close_ok = frames.method(DECLARING, frames.CHANNEL_CLOSE_OK)
            self._link.write(close_ok + frames.method(DECLARING, frames.CHANNEL_OPEN, "s", ""))
        refused.set(error=_Close(*frames.arguments("BsBB", payload)))
        for question in unheard:
            question.set(error=_UNHEARD)

    def _ended(self) -> None:
        with self._asking:
            unheard, self._questions = self._questions, deque()
        for question in unheard:
            question.set(error=ConnectionLost("the broker went away before it answered"))


_UNHEARD = Exception("to be asked again: the channel was closed over another question")


class _Close(Exception):
    """A Channel.Close: what the broker says of a question that it refuses."""

    def __init__(self, code: int, text: str, of_class: int, method: int) -> None:
        super().__init__(text)
        self._code, self._text, self._asked = code, text, frames.number(of_class, method)

    def named(self, what: str) -> RPCError:
        """Give the error for the thread that asked."""
        if self._code == _NOT_FOUND and self._asked == frames.QUEUE_BIND:  # the queue is there
            return Missing(f"the {what} has nothing to come from: {self._text.removeprefix('NOT_FOUND - ')}")
        if self._code == _NOT_FOUND:
            return Undeliverable(f"there is no {what}", target=what.partition(" ")[2])
        if "'x-queue-type'" in self._text:
            is_quorum = re.search(r"current is (the value )?'quorum'", self._text)  # RabbitMQ 4 has fewer words
            return Refused(
                f"{what} exists and is {'a quorum queue' if is_quorum else 'a classic queue'}, which the option quorum "
                f"(rabbit_quorum_queue) does not say: change the option, or delete the queue when it is empty"
            )
        return Refused(f"the broker refuses the {what}: {self._text}")


def declare_exchange(channel: int, name: str, kind: str, *, no_wait: bool = False) -> bytes:
    """Write a declaration as oslo.messaging does: an exchange for fanouts goes with the last queue that reads from it.

    :param no_wait: the broker is not to answer
    """
    passive = internal = False
    durable = kind == TOPIC
    return frames.method(
        channel, frames.EXCHANGE_DECLARE, "BssbbbbbF",
        0, name, kind, passive, durable, not durable, internal, no_wait, {},
    )  # fmt: skip
