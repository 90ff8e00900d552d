"""docs/states.md, printed from the one table of states: tools/generated.py calls it."""

from collections.abc import Iterable, Iterator

from mininova import states
from mininova.states import OPERATIONS, Operation

INTRODUCTION = """\
<!-- Printed by tools/update from mininova/states.py: change the table there, then run tools/update. -->

# The states of an instance

An instance rests in a *vm_state*. While something is being done to it, its *task_state* says what; otherwise it has
none. One table in [`mininova/states.py`](../mininova/states.py) says how each operation moves through them, and this
page is that table. The api refuses from it with a 409 and takes the first step of an operation. Compute advances
along it, and the conductor writes each further step, by compare and swap.

## Every operation

"Over" lists the task states that an operation may interrupt, beside none at all. A failure leaves the instance in the
vm_state of the last column but one. "Action" is the operation's name in `openstack server event list`.
"""

DIAGRAM = """\
## From rest to rest

Each arrow is an operation, from where it may start to where it ends, well or badly. A failure that leaves the
instance where it was has no arrow.
"""

HEADINGS = ("Operation", "May start from", "Over", "Passes through", "Ends in", "A failure leaves it", "Action")


def page() -> str:
    """Print the page."""
    return "\n".join([INTRODUCTION, *_table(), "", DIAGRAM, "```mermaid", *_diagram(), "```", ""])


def _table() -> Iterator[str]:
    yield _row(HEADINGS)
    yield _row(["---"] * len(HEADINGS))
    for name, op in OPERATIONS.items():
        starts, passes = _codes(_in_order(op.starts)), " → ".join(map(_code, op.passes))
        fails = (op.fails,) if op.fails else ()
        yield _row([_code(name), starts, _over(op), passes, _rest(op.ends), _rest(fails), _code(op.action)])


def _rest(vm_states: tuple[str, ...]) -> str:
    return " or ".join(map(_code, vm_states)) or "where it was"


def _over(op: Operation) -> str:
    if op.over is None:
        return "any task"
    others = frozenset(states.TASK_STATES) - op.over
    if len(others) < len(op.over):
        return f"any task but {_codes(sorted(others))}"
    return _codes(sorted(op.over)) or "nothing"


def _diagram() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    [*] --> {states.BUILDING}"
    for (start, end), names in _arrows().items():
        yield f"    {start} --> {end}: {', '.join(names)}"
    yield f"    {states.DELETED} --> [*]"


def _arrows() -> dict[tuple[str, str], list[str]]:
    """Bring together the operations that lead from one vm_state to one other."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for name, op in OPERATIONS.items():
        for start in _in_order(op.starts):
            for rest, what in (_end(op, start), name), (op.fails or start, f"{name} fails"):
                if rest != start or what == name:
                    arrows.setdefault((start, rest), []).append(what)
    return arrows


def _end(op: Operation, start: str) -> str:
    return start if start in op.ends or not op.ends else op.ends[0]


def _in_order(vm_states: Iterable[str]) -> list[str]:
    """Sort vm_states as a life goes; the order of a set is another in each run."""
    return sorted(vm_states, key=states.VM_STATES.index)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _codes(words: Iterable[str]) -> str:
    return ", ".join(map(_code, words))


def _code(word: str) -> str:
    return f"`{word}`"
