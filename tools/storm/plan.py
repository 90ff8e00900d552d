"""What is drawn from the seed: which client asks for what, and what breaks at which request.

The moment of a fault is a number of requests, not a time: so a storm is the same on a slow machine.  What a client asks
of depends on what it was answered, so two runs of one seed are alike and not equal.
"""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from stack.network import CUT, HALF_OPEN, SLOW

CLIENTS = 6

#: What clients ask for, and how often.
WEIGHTS = {
    "boot": 32, "delete": 18, "stop": 10, "start": 10, "reboot": 7, "hard_reboot": 7,
    "pause": 5, "unpause": 5, "suspend": 5, "resume": 5, "snapshot": 5, "shelve": 5, "unshelve": 8,
    "resize": 6, "confirm": 6, "revert": 6, "migrate": 5, "migrate_live": 8, "evacuate": 6,
}  # fmt: skip
#: How many servers a boot asks for.
COUNTS = (1, 1, 1, 2, 3)
#: Seconds between an answer and a client's next request.
LONGEST_PAUSE_S = 0.4

KILL, TERM, STOP, LOSE_DISK, AWAY = "SIGKILL", "SIGTERM", "SIGSTOP", "disk lost", "away"
#: The names of what is no service of mininova, among the targets.
BROKER, DATABASE = "rabbitmq", "database"
#: Whose way it is, and where it leads.
Way = tuple[str, str]
#: What happens to a process, and how often.
BLOWS = {KILL: 4, TERM: 2, STOP: 4}
#: What happens to a service's way to the broker, or to the database.
TROUBLES = (CUT, SLOW, HALF_OPEN)
#: One fault in so many is one of the network, and one blow to the broker in so many costs it its disk.
NETWORK_SHARE, DISK_SHARE = 0.3, 0.3
#: How often a target is hit, where that is not once as often as the others.
OFTEN = {BROKER: 2, DATABASE: 2}
LONGEST_S = 15.0


@dataclass(frozen=True)
class Fault:
    """Something that breaks.

    :param at: the number of the request at which it happens
    :param target: a program of the stack
    :param kind: a signal, a trouble of one of its ways, or what else may happen to it
    :param seconds: how long it lasts
    :param way: where the way leads that has the trouble: to the broker or to the database
    """

    at: int
    target: str
    kind: str
    seconds: float = 0.0
    way: str = ""


def faults(seed: int, operations: int, kills: int, programs: Sequence[str], ways: Collection[Way]) -> list[Fault]:
    """Draw what breaks, in the order in which it does.

    :param programs: what may break
    :param ways: those of the services among them
    """
    dice = random.Random(f"{seed} faults")
    moments = sorted(dice.randrange(operations // 10, max(operations * 9 // 10, 2)) for _ in range(kills))
    return [_fault(dice, at, programs, ways) for at in moments]


def _fault(dice: random.Random, at: int, programs: Sequence[str], ways: Collection[Way]) -> Fault:
    target = dice.choices(programs, [OFTEN.get(name, 1) for name in programs])[0]
    seconds = round(dice.uniform(1.0, LONGEST_S), 1)
    if target == DATABASE:
        return Fault(at, target, AWAY, seconds)
    if (its := [to for service, to in ways if service == target]) and dice.random() < NETWORK_SHARE:
        return Fault(at, target, dice.choice(TROUBLES), seconds, way=dice.choice(its))
    if target == BROKER and dice.random() < DISK_SHARE:
        return Fault(at, target, LOSE_DISK)
    kind = dice.choices(list(BLOWS), list(BLOWS.values()))[0]
    return Fault(at, target, kind, seconds if kind == STOP else 0.0)


@dataclass(frozen=True)
class Wish:
    """What a client asks for next.

    :param operation: a name in WEIGHTS
    :param count: how many servers, for a boot
    :param which: chooses one among the client's servers; the latest are chosen most often
    :param pause: seconds before it asks
    """

    operation: str
    count: int
    which: float
    pause: float


def wishes(seed: int, client: int) -> Iterator[Wish]:
    """Draw what a client asks for, without end."""
    dice = random.Random(f"{seed} client {client}")
    while True:
        operation = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        yield Wish(operation, dice.choice(COUNTS), dice.random() ** 1.4, dice.uniform(0, LONGEST_PAUSE_S))
