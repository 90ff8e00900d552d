"""docs/security.md, printed from the attack suite: tools/generated.py asks for it.

Each test under tests/attack/compute that observes is an attack.  Its docstring says what is tried, observed.json beside
the tests says who stopped it and what the attacker saw, and a mark says in words what an observation cannot say.  The
tests are only read, as text; tools/checks.py runs them.
"""

import ast
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SUITE = Path(__file__).resolve().parent.parent / "tests/attack/compute"
FOLDERS = ("requests", "broker")
NO_ONE = "no one"

INTRODUCTION = """\
<!-- Printed by tools/update from tests/attack/compute: change the attacks there, then run tools/update. -->

# When a compute node is taken over

A compute node runs the guests of many users, and a guest may break out of it. So no service of mininova trusts a
compute node: an attacker who takes one over can harm what runs on that node, and nothing on another. This page says
what was tried, what stopped it, what the attacker can still do, and what an operator does about it.

An attack is refused in one of three places, and each of them holds when the one before it does not:

1. **The broker refuses it.** Each compute has a broker user of its own, `compute.NAME`. That user reads its own queues
   and writes to one exchange, its lane. Behind the lane are the conductors, the processes that have asked this compute
   something, and the listeners (`mininova/trust/broker/rights.py`, [ADR 0010](adr/0010-a-lane-for-each-compute.md)).
   RabbitMQ also refuses a message that one user publishes in the name of another, and more than a user's bounds;
   `mininova-manage broker watch` adds those that RabbitMQ lacks
   ([ADR 0021](adr/0021-what-one-compute-costs-is-bounded.md)).
2. **The receiver refuses it.** Every service decides by the sender that the broker vouches for, and never by a field of
   the message. A compute obeys only the conductor and the api; the scheduler obeys only the conductor; a reply counts
   only if it comes from the process that was asked.
3. **The conductor refuses it.** Its interface declares which methods a compute may call
   (`mininova/conductor/rpcapi.py`), and a closed table says what a compute may send in each of them
   (`mininova/conductor/checks/arguments.py`). The statement that writes an instance also compares on which host it is.

## What was tried

Every line is a test in `tests/attack/compute`. The requests to a conductor are tried twice: in one process, over a
broker in memory, and on a running stack, with the credentials of one of its computes and AMQP by hand. What the broker
would not take is tried in one process only, and attacks on the broker need the running stack. Who stopped an attack was
observed and not assumed: in the error with which the broker closes a channel, in the answer of a service, in the list
of denials, in the flow, or in a log. Tests that change nothing on purpose compare the database before and after. Run
them:

```
.venv/bin/python tools/checks.py attack floods
```

A taken-over compute …
"""

LEFT = """\
## What is left to it

No one refuses the following, and each line is a test, too. A taken-over compute still …
"""

IN_WORDS = """\
In plain words, it can:

* **do what it likes to its own instances**, and lie about them: that they run, that they stopped, what is on their
  consoles. Their owners then see servers that are not as the api says. It learns what a hypervisor has to know of them:
  names, projects, flavors, images, addresses, metadata, and the user data of what is booted on it. It learns no token
  and no password, for none is sent to it, and nothing of instances on other hosts.
* **refuse work**: builds that are sent to it fail, and go on to the next host, or stay where they are.
* **offer less room than it has, and all of what was recorded**: never more, no other zone, nothing that draws special
  servers to it. A forced host (`--availability-zone nova:host-1`) puts a server on it, as on any other.
* **say that it speaks older versions than it does**, of its own interface and of objects. Then the others speak to it,
  and with `auto` pins to all computes, as to an older one.
* **emit notifications that are not true**, with any `publisher_id`. The broker still vouches for the sender: a listener
  that bills or acts must look at the message's `user_id` (`Notification.sender` of an `rpc.Listener`), and pass over
  notifications that have none; `examples/billing.py` does not look. A process of many hosts tells in the name of each,
  with one user for all: `mininova-manage host add` says which.
* **tell lies about itself in the flow**, up to the bounds of its own share ([observe.md](observe.md#the-flow)). The
  flow is there to look at and to learn from; decide nothing by it.
* **see which queues exist**, and how many messages wait in them, if it knows their names.
* **take up some of the broker's and the conductor's time**. What it sends waits in queues of its own, and is read in
  turn with the messages of the others: a flood makes the others slower, and does not make them wait for its end. Each
  flood here is a test that boots a server on another host meanwhile, in less than ten seconds; measured were 0.1 to
  0.9 on two busy cores, and up to 4 while bodies of 10 MB came (`benchmarks/rpc_flood.py` has figures).
* **fill 128 MiB of the broker's memory, and more for some seconds**, until `mininova-manage broker watch` cuts it off.

## What an operator does

See which requests were denied, and to which sender. A compute that does its work is never denied anything, except room
that it was given and that is not recorded (`mininova-manage host limit`):

```
mininova-manage denials list
```

Shut a compute out. Its connections end at once, and its user is gone:

```
mininova-manage host remove host-1
```

Then set the machine up anew and add it again (`mininova-manage host add host-1`): what it may offer is still recorded.
If only the password may be known to others, give the host another one, and its machine the configuration file that this
writes:

```
mininova-manage host rotate host-1
```

Look at what was on the host: boot its servers elsewhere from their images, and count their disks as read by others. The
log of each service says what it denied, with the caller, the method and what it was about: a line for each method in
ten seconds, and how many more there were.

## Where this does not hold

* **Where all share one broker user** (`[identities] enforce = false`, as with `MININOVA_BROKER_URL`) nothing here is
  checked. `mininova-manage check` says so.
* **Where a broker knows no topic permissions** (they came with RabbitMQ 3.7), a compute can bind its queue to the keys
  of others, and read copies of what they are sent. `mininova-manage check` says so.
* **On Qpid** it can do that, too, and bind a queue of others to its lane: what it puts there has its own name, and is
  denied. [rpc/brokers.md](rpc/brokers.md#rabbitmq-and-qpid) has all that is weaker there.
* **The controller is trusted**: an attacker who has the credentials of the api, the scheduler, the conductor, the
  database or the operator's tools has the cloud.
"""

HEADINGS = ("tries this", "is stopped by", "sees")


@dataclass(frozen=True)
class Attack:
    """One test.

    :param sentence: what is tried, as its docstring says it
    :param who: who stops it, or ``no one``
    """

    sentence: str
    who: str
    sees: str


def page() -> str:
    """Print the page."""
    groups = {heading: list(attacks) for heading, attacks in _groups()}
    tried = {heading: [attack for attack in attacks if attack.who != NO_ONE] for heading, attacks in groups.items()}
    left = [attack for attacks in groups.values() for attack in attacks if attack.who == NO_ONE]
    return "\n".join([INTRODUCTION, *_tables(tried), LEFT, *_left(left), "", IN_WORDS])


def _tables(groups: dict[str, list[Attack]]) -> Iterator[str]:
    for heading, attacks in groups.items():
        if attacks:
            yield f"### {heading}\n"
            yield from (_row(HEADINGS), _row(["---"] * len(HEADINGS)))
            yield from (_row((_inside(it.sentence), f"the {it.who}", it.sees)) for it in attacks)
            yield ""


def _left(attacks: Iterable[Attack]) -> Iterator[str]:
    yield from (_row(("does this", "and sees")), _row(("---", "---")))
    yield from (_row((_inside(it.sentence), it.sees)) for it in attacks)


def _groups() -> Iterator[tuple[str, Iterator[Attack]]]:
    """Read the suite: each module is a group, and the first sentence of its docstring is the heading."""
    observed = json.loads((SUITE / "observed.json").read_text())
    for folder in FOLDERS:
        for path in sorted((SUITE / folder).glob("test_*.py")):
            tree = ast.parse(path.read_text())
            heading = (ast.get_docstring(tree) or "").partition("\n")[0].partition(":")[0]
            yield heading.rstrip("."), _attacks(tree, f"{folder}/{path.name}", observed)


def _attacks(tree: ast.Module, file: str, observed: dict[str, str | dict[str, str]]) -> Iterator[Attack]:
    tests = [it for it in tree.body if isinstance(it, ast.FunctionDef) and it.name.startswith("test_")]
    for function in tests:
        if "observe" in {argument.arg for argument in function.args.args}:
            yield _attack(function, tree, observed[f"{file}::{function.name}"])


def _attack(function: ast.FunctionDef, tree: ast.Module, observed: str | dict[str, str]) -> Attack:
    """Put together what a test says and what was observed of its cases, each "who: what the attacker sees"."""
    cases = [observed] if isinstance(observed, str) else observed.values()
    seen = [one.partition(": ") for case in cases for one in case.split("; ")]
    who, sees = (list(dict.fromkeys(said[place] for said in seen)) for place in (0, 2))
    return Attack(_sentence(function), " or the ".join(who), _words(function, tree) or " or ".join(map(_quoted, sees)))


def _quoted(sees: str) -> str:
    """Mark the name of an error as such."""
    return f"`{sees}`" if sees.isidentifier() and sees != sees.lower() else sees


def _words(function: ast.FunctionDef, tree: ast.Module) -> str:
    """Give what the mark of a test says, which may have a name in its module."""
    for mark in function.decorator_list:
        if isinstance(mark, ast.Name):
            mark = _named(mark, tree)
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.sees":
            return str(ast.literal_eval(_named(mark.args[0], tree)))
    return ""


def _named(value: ast.expr, tree: ast.Module) -> ast.expr:
    """Follow a name to what its module gives it."""
    texts = {ast.unparse(it.targets[0]): it.value for it in tree.body if isinstance(it, ast.Assign)}
    return texts[value.id] if isinstance(value, ast.Name) else value


def _sentence(function: ast.FunctionDef) -> str:
    return " ".join((ast.get_docstring(function) or "").partition("\n\n")[0].split())


def _inside(sentence: str) -> str:
    """Make a sentence go on after the one that heads the table."""
    return f"{sentence[:1].lower()}{sentence[1:]}".rstrip(".")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
