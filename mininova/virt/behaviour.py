"""How the fake hypervisor behaves: delays and failures, read from a file that may change while it runs.

The idea is kwok's (its ``Stage`` files): behaviour is data.  The file is a list of rules; for an operation on a
guest of a host the first rule that fits says how long it takes and how often it fails.
``mininova/virt/fake-behaviour.yaml`` explains it to its users.  One Behaviour serves every fake host of a process.

Delays are milliseconds in the file and seconds in the code.
"""

import random
import threading
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec

from mininova import followed
from mininova.followed import Followed

OPERATIONS = (
    "spawn", "destroy", "reboot", "power_on", "power_off", "pause", "unpause", "suspend", "resume",
    "rescue", "unrescue", "rebuild", "snapshot", "check_can_migrate", "migrate_disk_and_power_off", "finish_migration",
    "confirm_migration", "finish_revert_migration", "pre_live_migration", "live_migration",
    "post_live_migration_at_destination", "attach_interface", "detach_interface", "trigger_crash_dump",
    "set_admin_password", "attach_volume", "detach_volume", "volume_snapshot_create", "volume_snapshot_delete",
    "get_console_output", "get_diagnostics", "cache_image",
)  # fmt: skip

Milliseconds = Annotated[float, msgspec.Meta(ge=0)]
Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of everything in the file: a misspelt field is refused.

    A distribution is a part that can be called: with dice it gives milliseconds.
    """


class Constant(_Part, frozen=True, tag_field="distribution", tag="constant"):
    """Always the same."""

    milliseconds: Milliseconds

    def __call__(self, dice: random.Random) -> float:
        """Draw one, in milliseconds."""
        return self.milliseconds


class Uniform(_Part, frozen=True, tag_field="distribution", tag="uniform"):
    """Anything between two bounds."""

    low: Milliseconds
    high: Milliseconds

    def __call__(self, dice: random.Random) -> float:
        """Draw one, in milliseconds."""
        return dice.uniform(self.low, self.high)


class Normal(_Part, frozen=True, tag_field="distribution", tag="normal"):
    """Around a mean, and never negative."""

    mean: Milliseconds
    deviation: Milliseconds

    def __call__(self, dice: random.Random) -> float:
        """Draw one, in milliseconds."""
        return max(0.0, dice.gauss(self.mean, self.deviation))


class Exponential(_Part, frozen=True, tag_field="distribution", tag="exponential"):
    """Mostly short, now and then very long."""

    mean: Annotated[float, msgspec.Meta(gt=0)]

    def __call__(self, dice: random.Random) -> float:
        """Draw one, in milliseconds."""
        return dice.expovariate(1 / self.mean)


class Failure(_Part, frozen=True):
    """How often an operation fails, how, and what it says then.

    :param nth: fail only the n-th time that the rule counts, on any host of the process; None means any time
    :param kind: ``error`` before anything was done; ``halfway`` after the work was done; ``crash`` says nothing,
        and leaves the guest crashed; ``power_loss`` says nothing, and leaves every guest of the host off
    """

    probability: Probability = 1.0
    nth: Annotated[int, msgspec.Meta(ge=1)] | None = None
    kind: Literal["error", "halfway", "crash", "power_loss"] = "error"
    message: str = "the fake hypervisor was told to fail"


class Target(NamedTuple):
    """The guest that an operation is done to, as far as rules ask for it."""

    name: str = ""
    metadata: Mapping[str, str] = {}
    memory_mb: int = 0


NO_GUEST = Target()  # what is destroyed is not there, perhaps


class Rule(_Part, frozen=True):
    """What some operations do to some guests on some hosts.

    :param hosts: a shell pattern; likewise ``operation``
    :param instances: a shell pattern of the names of instances
    :param metadata: for each of these keys of an instance's metadata, a shell pattern of its value
    :param delay: a distribution, or a plain number of milliseconds
    :param delay_per_gib: so much more for each GiB of the guest's memory
    """

    hosts: str = "*"
    operation: str = "*"
    instances: str = "*"
    metadata: dict[str, str] = {}
    delay: Milliseconds | Constant | Uniform | Normal | Exponential = 0
    delay_per_gib: Milliseconds = 0
    failure: Failure = Failure(probability=0.0)

    def __post_init__(self) -> None:
        if not any(fnmatchcase(operation, self.operation) for operation in OPERATIONS):
            raise ValueError(f"no operation is called {self.operation!r}; there are {', '.join(OPERATIONS)}")

    def fits(self, host: str, operation: str, target: Target) -> bool:
        """Tell whether the rule is for this operation on this host, done to this guest."""
        return (
            fnmatchcase(host, self.hosts)
            and fnmatchcase(operation, self.operation)
            and fnmatchcase(target.name, self.instances)
            and all(
                key in target.metadata and fnmatchcase(target.metadata[key], value)
                for key, value in self.metadata.items()
            )
        )


class File(_Part, frozen=True):
    """The whole file; one without a seed may be just the list of rules.

    :param seed: draw the same numbers after each start; None draws others every time
    """

    rules: tuple[Rule, ...] = ()
    seed: int | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What one operation is going to do.

    :param delay: seconds it takes
    :param failure: how it fails, or None
    """

    delay: float = 0.0
    failure: Failure | None = None


class _InForce:
    """A file that is followed, with what each of its rules has counted and the dice of each host."""

    def __init__(self, file: File) -> None:
        self.rules, self._seed = file.rules, file.seed
        self.counted = Counter[int]()  # how often each rule counted, by its place
        self._dice: dict[str, random.Random] = {}

    def dice_of(self, host: str) -> random.Random:
        """Give a host dice of its own, so that hosts do not disturb each other's draws."""
        if host not in self._dice:
            self._dice[host] = random.Random(None if self._seed is None else f"{self._seed} {host}")
        return self._dice[host]


def _read(path: Path) -> _InForce:
    return _InForce(followed.read(path, File))


class Behaviour:
    """Draw the outcome of operations from a file, which is read again when it changes.

    :param path: the file; None means that everything works, at once
    :raises errors.ConfigError: when the file is bad from the start, quoting line and field
    """

    def __init__(self, path: str | None = None) -> None:
        self._followed = Followed(Path(path), _read, "fake hypervisor") if path else None
        self._lock = threading.Lock()

    def draw(self, host: str, operation: str, target: Target = NO_GUEST) -> Outcome:
        """Decide how an operation on a host goes this time."""
        if self._followed is None:
            return Outcome()
        with self._lock:
            file = self._followed.now()
            place = next((n for n, rule in enumerate(file.rules) if rule.fits(host, operation, target)), None)
            if place is None:
                return Outcome()
            file.counted[place] += 1
            rule, dice = file.rules[place], file.dice_of(host)
            delay = rule.delay(dice) if callable(rule.delay) else rule.delay
            delay += rule.delay_per_gib * target.memory_mb / 1024
            fails = dice.random() < rule.failure.probability and rule.failure.nth in (None, file.counted[place])
            return Outcome(delay / 1000, rule.failure if fails else None)
