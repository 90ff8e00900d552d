"""Who is there when a message is sent and while one is handled: metrics.py and spans.py can be.

A Peer has one Watch, or None.  Without one the way of a message has a comparison more, and nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from mininova.rpc.envelope import Request
from mininova.rpc.interface import Interface
from mininova.rpc.transports.base import Message


class Watch:
    """Base of all who watch; whatever a subclass does not care for, it leaves as it is.

    ``topic`` is that of the interface, ``notifications`` for a notification.  An error leaves through each block.
    """

    def serving(self, topic: str, interfaces: Iterable[type[Interface]]) -> None:
        """A server of these is made: no other method than theirs will be handled in this process."""

    def sending(self, pattern: str, topic: str, message: Message, request: Request) -> AbstractContextManager[Message]:
        """Surround the sending of a message, and for a call the wait for its answer; give what is to be sent.

        :param pattern: ``call``, ``cast``, ``fanout`` or ``notification``
        """
        return nullcontext(message)

    def handling(self, topic: str, message: Message, request: Request) -> AbstractContextManager[None]:
        """Surround the handler of a declared method."""
        return nullcontext()

    def happened(self, kind: str, message: Message, request: Request | None, error: str | None) -> None:
        """One thing happened to a message, as ``Peer.seen`` has it: ``received``, ``rejected``, ``resent`` …

        :param request: what the message says, which nobody has checked; None if it is not known
        :param error: why, as ``class: sentence``
        """


def together(watches: Sequence[Watch]) -> Watch | None:
    """Make one of several; None of none."""
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

    def happened(self, kind: str, message: Message, request: Request | None, error: str | None) -> None:
        for watch in self._watches:
            watch.happened(kind, message, request, error)
