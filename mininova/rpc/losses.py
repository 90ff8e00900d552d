"""Messages that a peer loses on purpose, by rules: what follows is what follows when a broker loses them.

A message that is lost was sent, as far as its sender can know: a cast counts as confirmed, a call waits for an answer.
Only what asks for something is lost: calls, casts and fanouts.  For its caller a lost reply is the same as a lost call,
and it names no method.

This is not transports/memory_faults.py, which throws dice for each leg of a message's way and keeps what a confirm
promised, to try whether all that can go wrong does no harm.  Here a person picks the one message, on any broker.
"""

import threading
from collections import Counter
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec

Number = Annotated[int, msgspec.Meta(ge=1)]


class Loss(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule: lose the n-th message of a kind, and some that follow.

    :param method: a shell pattern of what the message asks for, ``build_instance``
    :param sender: a shell pattern of who sends it, a service or one on a host: ``conductor``, ``conductor.ctl-1``
    :param times: how many are lost
    """

    method: str
    sender: str = "*"
    nth: Number = 1
    times: Number = 1

    def fits(self, sender: str, method: str) -> bool:
        """Tell whether the rule counts a message."""
        services = sender, sender.partition(".")[0]
        return fnmatchcase(method, self.method) and any(fnmatchcase(name, self.sender) for name in services)


class Losses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a file."""

    rules: tuple[Loss, ...] = ()


class LostOnPurpose(Exception):
    """Why a message is lost; watches are told it, and it is never raised."""


class Losing:
    """Rules in force, with what each has counted since; a peer asks before it publishes.

    :ivar rules: without any, no message need be read to know that it is not lost
    """

    def __init__(self, losses: Losses) -> None:
        self.rules, self._counted = losses.rules, Counter[int]()
        self._lock = threading.Lock()

    def strikes(self, sender: str, method: str) -> LostOnPurpose | None:
        """Count a message, and tell why it is to be lost, if it is."""
        struck = None
        with self._lock:
            for place, rule in enumerate(self.rules):
                if rule.fits(sender, method):
                    self._counted[place] += 1
                    if rule.nth <= self._counted[place] < rule.nth + rule.times:
                        whose = "any sender" if rule.sender == "*" else rule.sender
                        struck = LostOnPurpose(f"number {self._counted[place]} of {rule.method} from {whose}")
        return struck
