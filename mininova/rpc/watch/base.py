"""The one hook around messages: what metrics.py, spans.py and flow.py do when a message is sent, handled or refused.

A Peer has one Watch, or None; ``together`` makes one of several.  Without one, sending and handling a message cost a
comparison more, and nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from msgspec import UNSET

from mininova.rpc.envelope import Request
from mininova.rpc.interface import Interface
from mininova.rpc.transports.base import Message


class Watch:
    """Base of every watch.  A subclass overrides what it needs; the rest does nothing.

    ``topic`` is that of the interface, and ``notifications`` for a notification.  An error leaves through each block.
    """

    def serving(self, topic: str, interfaces: Iterable[type[Interface]]) -> None:
        """A server was made: this process handles the methods of these interfaces."""

    def sending(self, pattern: str, topic: str, message: Message, request: Request) -> AbstractContextManager[Message]:
        """Surround the sending of a message, and for a call the wait for its answer; give what is to be sent.

        :param pattern: ``call``, ``cast``, ``fanout`` or ``notification``
        """
        return nullcontext(message)

    def handling(self, topic: str, message: Message, request: Request) -> AbstractContextManager[None]:
        """Surround the handler of a declared method."""
        return nullcontext()

    def happened(
        self,
        kind: str,
        message: Message,
        request: Request | None,
        *,
        pattern: str = "",
        receiver: str = "",
        duration: float | None = None,
        error: Exception | None = None,
        result: Any = UNSET,
    ) -> None:
        """One thing happened to a message.

        :param kind: ``received``, ``redelivered``, ``replied`` (handled, for a cast), ``rejected``, ``denied``,
            ``retried``, ``parked``, ``resent`` or ``lost`` (on purpose)
        :param request: what the message says, which this process has not checked; None if it is not known
        :param pattern: as in ``sending``; empty when it is not known
        :param receiver: the service and host that have the message in hand, ``conductor.ctl-1``
        :param duration: seconds in the handler
        :param error: why it was refused, or failed
        :param result: what the handler returned
        """


def together(watches: Sequence[Watch]) -> Watch | None:
    """Make one watch of several; None of none."""
    return _Several(watches) if len(watches) > 1 else watches[0] if watches else None


class _Several(Watch):
    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = watches

    def serving(self, topic: str, interfaces: Iterable[type[Interface]]) -> None:
        for watch in self._watches:
            watch.serving(topic, interfaces)

    @contextmanager
    def sending(self, pattern: str, topic: str, message: Message, request: Request) -> Iterator[Message]:
        with ExitStack() as stack:
            for watch in self._watches:
                message = stack.enter_context(watch.sending(pattern, topic, message, request))
            yield message

    @contextmanager
    def handling(self, topic: str, message: Message, request: Request) -> Iterator[None]:
        with ExitStack() as stack:
            for watch in self._watches:
                stack.enter_context(watch.handling(topic, message, request))
            yield

    def happened(self, kind: str, message: Message, request: Request | None, **more: Any) -> None:
        for watch in self._watches:
            watch.happened(kind, message, request, **more)
