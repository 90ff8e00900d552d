"""What goes wrong between the broker in memory and its peers, as one value and the dice it throws.

The model is that of Maelstrom and of FoundationDB's simulation: everything that could be otherwise is decided by one
random generator, so a seed is a run, and a run that fails can be had again.  Nothing happens here that a real
broker does not do, and each leg of a message's way has faults of its own:

* *To the broker.*  An unconfirmed message vanishes without a word.  A confirmed one takes the publisher's
  connection with it, before the broker had it or after, so that its publisher cannot know and sends it again.
* *To the receiver, and the acknowledgement back.*  The receiver's connection breaks: all that it had not settled is
  delivered again, flagged.  From a queue that is read without acknowledgements the message vanishes.

What a confirm promised is never lost.  ``MemoryBroker`` asks; this module knows no queue.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mininova.rpc.transports.base import Message

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Chances between 0 and 1, each thrown for anew; the default is a network where nothing goes wrong.

    :param drop: of each leg of a message.  Keep it below 1 for casts: they are sent until one arrives
    :param duplicate: that a persistent message arrives twice, as from a publisher whose first confirm was lost
    :param delay: that a message comes to its queue late, when others have overtaken it
    :param reorder: that the next delivery is not the one whose turn it is, but any; also one that is handled while a
        caller in another process still waits
    :param partition: at each delivery, that some peer is cut off from the broker
    :param longest: the most seconds that a delay or a partition takes
    :param only: which messages drop, duplicate and delay are for
    """

    seed: int = 0
    drop: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    partition: float = 0.0
    longest: float = 30.0
    only: Callable[[Message], bool] = lambda message: True


class Dice:
    """Decide what happens next, the same each time for the same faults."""

    def __init__(self, faults: Faults) -> None:
        self._faults, self._random = faults, random.Random(faults.seed)

    def loses(self, message: Message) -> bool:
        """Tell whether one leg of a message's way fails."""
        return self._strikes(self._faults.drop, message)

    def copies(self, message: Message) -> int:
        """Tell how often a published message arrives."""
        return 2 if message.persistent and self._strikes(self._faults.duplicate, message) else 1

    def delay(self, message: Message) -> float:
        """Tell how many seconds late a message comes to its queue."""
        return self.duration() if self._strikes(self._faults.delay, message) else 0.0

    def reorders(self) -> bool:
        """Tell whether the next delivery is out of turn."""
        return self._falls(self._faults.reorder)

    def partitions(self) -> bool:
        """Tell whether a peer is cut off now."""
        return self._falls(self._faults.partition)

    def duration(self) -> float:
        """Tell how many seconds it takes."""
        return self._random.uniform(0.0, self._faults.longest)

    def one_of(self, things: Sequence[T]) -> T:
        """Pick."""
        return self._random.choice(things)

    def _strikes(self, chance: float, message: Message) -> bool:
        return chance > 0 and self._faults.only(message) and self._falls(chance)

    def _falls(self, chance: float) -> bool:
        return chance > 0 and self._random.random() < chance
