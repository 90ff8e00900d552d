"""docs/security.md, printed from the attack suite: tools/generated.py asks for it, nobody else.

Each test under tests/attack/amqp is an attack: its docstring says what is tried, and its mark who stops it and what the
attacker sees.  The tests are only read, as text; that they pass is tools/checks.py's to say.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SUITE = Path(__file__).resolve().parent.parent / "tests/attack/amqp"

INTRODUCTION = """\
<!-- Printed by tools/update from tests/attack/amqp: change the attacks there, then run tools/update. -->

# When a compute node is taken over

A compute node runs other people's guests, and a guest may break out of it. So nothing in a cloud of mininova's believes
a compute node: whoever takes one over can hurt what is on it, and no other. This page says what was tried, who stopped
it, what is left to the attacker, and what an operator then does.

What stops an attacker is in three places, and each holds when the one before it does not:

1. **The broker.** Each compute has a broker user of its own, `compute.NAME`, and may read its own queues and write to
   one exchange, its lane, behind which are the conductors, those who asked it something, and the listeners
   (`mininova/trust/broker/rights.py`, [ADR 0010](adr/0010-a-lane-for-each-compute.md)). RabbitMQ also sees to it that
   nobody publishes in another's name.
2. **The receiver.** Every service looks at whom the broker vouches for, and never at a field of the message. A compute
   obeys the conductor and the api only; the scheduler obeys the conductor only; a reply is believed if it is from whom
   was asked.
3. **The conductor.** Its interface declares which methods a compute may call (`mininova/conductor/rpcapi.py`), and it
   has a closed list of the fields that a compute may write (`mininova/conductor/checks/arguments.py`). Whose an
   instance is, it compares in the very statement that writes.

## What was tried

Every line is a test, run against a stack that runs, with the credentials of one of its computes and AMQP by hand
(`tests/attack/amqp`). Each also compares the database before and after. Run them:

```
.venv/bin/python tools/checks.py attack
```

A taken-over compute …
"""

LEFT = """\
## What is left to it

This nobody stops, and each line is a test, too. A taken-over compute still …
"""

IN_WORDS = """\
In plain words, it can:

* **do to its own instances what it likes**, and lie about them: that they run, that they stopped, what is on their
  consoles. Their owners see servers that are not as the api says. It learns what a hypervisor has to know of them:
  names, projects, flavors, images, addresses, metadata, and the user data of what is booted on it. It learns no token
  and no password, for none is sent to it, and nothing of instances that are elsewhere.
* **refuse work**: builds that are sent to it fail, and go on to the next host, or stay where they are.
* **offer less room than it has, and all of what was recorded**: never more, no other zone, nothing that draws special
  servers to it. A forced host (`--availability-zone nova:host-1`) puts a server on it, as on any other.
* **say that it speaks older versions than it does**, of its own interface and of objects: then others speak to it, and
  with `auto` pins to all computes, as to an older one.
* **emit notifications that are not true**, with any `publisher_id`. The broker vouches for the sender all the same: a
  listener that bills or acts must look at the message's `user_id` (`Notification.sender` of an `rpc.Listener`), and
  pass over what has none; `examples/billing.py` believes everybody. A process of many hosts tells in the name of each,
  with one user for all: `mininova-manage host add` says which.
* **tell the flow what it likes**. The flow is there to look at and to learn from; decide nothing by it.
* **see which queues there are**, and how many messages wait in them, if it knows their names.
* **take up some of the broker's and the conductor's time**. What it sends waits in queues of its own, and is read in
  turn with the others': a flood makes them slower, and does not have them wait for its end. Each flood here is a test
  that boots a server on another host meanwhile, in less than ten seconds; measured were 0.2 to 0.5, and 1.2 while
  bodies of 10 MB came (`benchmarks/rpc_flood.py` has figures). It can also make queues under names of its own without
  end, each of which takes the broker some memory: a limit for the virtual host (`rabbitmqctl set_vhost_limits`)
  bounds that, for all together.

## What an operator does

See what was denied, to whom; a compute that does its work is never denied anything, but for room that it was given and
nobody has recorded (`mininova-manage host limit`):

```
mininova-manage denials list
```

Shut a compute out. Its connections end at once, and its user is gone:

```
mininova-manage host remove host-1
```

Then set the machine up anew and add it again (`mininova-manage host add host-1`). If only the password may be known to
others, give it another one, and its machine the configuration file that this writes:

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
* **The controller is trusted**: whoever has the api's, the scheduler's or the conductor's credentials, the database's
  or those of the operator's tools has the cloud.
"""

HEADINGS = ("tries this", "is stopped by", "sees")


@dataclass(frozen=True)
class Attack:
    """One test.

    :param sentence: what is tried, as its docstring says it
    :param refused_by: who stops it, or ``nobody``
    """

    sentence: str
    refused_by: str
    sees: str


def page() -> str:
    """Print the page."""
    groups = {heading: list(attacks) for heading, attacks in _groups()}
    tried = {
        heading: [attack for attack in attacks if attack.refused_by != "nobody"] for heading, attacks in groups.items()
    }
    left = [attack for attacks in groups.values() for attack in attacks if attack.refused_by == "nobody"]
    return "\n".join([INTRODUCTION, *_tables(tried), LEFT, *_left(left), "", IN_WORDS])


def _tables(groups: dict[str, list[Attack]]) -> Iterator[str]:
    for heading, attacks in groups.items():
        if attacks:
            yield f"### {heading}\n"
            yield from (_row(HEADINGS), _row(["---"] * len(HEADINGS)))
            yield from (_row((_inside(it.sentence), _who(it.refused_by), it.sees)) for it in attacks)
            yield ""


def _left(attacks: Iterable[Attack]) -> Iterator[str]:
    yield from (_row(("does this", "and sees")), _row(("---", "---")))
    yield from (_row((_inside(it.sentence), it.sees)) for it in attacks)


def _groups() -> Iterator[tuple[str, Iterator[Attack]]]:
    """Read the suite: each module is a group, and the first sentence of its docstring is the heading."""
    for path in sorted(SUITE.glob("test_*.py")):
        tree = ast.parse(path.read_text())
        heading = (ast.get_docstring(tree) or "").partition("\n")[0].partition(":")[0]
        yield heading.rstrip("."), _attacks(tree)


def _attacks(tree: ast.Module) -> Iterator[Attack]:
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            for mark in function.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.attack":
                    said = {str(word.arg): _text(word.value, tree) for word in mark.keywords}
                    yield Attack(_sentence(function), **said)


def _text(value: ast.expr, tree: ast.Module) -> str:
    """Read a text, or the constant of the module that has it."""
    if isinstance(value, ast.Name):
        texts = {ast.unparse(it.targets[0]): it.value for it in tree.body if isinstance(it, ast.Assign)}
        value = texts[value.id]
    return str(ast.literal_eval(value))


def _sentence(function: ast.FunctionDef) -> str:
    return " ".join((ast.get_docstring(function) or "").partition("\n\n")[0].split())


def _inside(sentence: str) -> str:
    """Make a sentence go on after the one that heads the table."""
    return f"{sentence[:1].lower()}{sentence[1:]}".rstrip(".")


def _who(refused_by: str) -> str:
    return {"compute": "the other compute"}.get(refused_by, f"the {refused_by}")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
