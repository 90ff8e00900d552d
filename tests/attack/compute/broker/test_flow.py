"""Misleading the operator: any compute may write into the flow, and mininova-flow shows it."""

import json
import os
import time
from itertools import count

import amqp
import pytest

from tests.fixtures.attack_worlds import MINE, THEIRS
from tests.fixtures.observations import NO_ONE, NOTHING
from tests.fixtures.taken_over import NOBODY

FLOW = "flow"
TERRIBLE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\nreq-forged\u202e"
NUMBERS = count()
MESSAGES = 22  # that a boot has


def event(**fields):
    """Write an event of a request of its own, as a compute would report it."""
    usual = {"kind": "sent", "at": time.time(), "request_id": f"req-{os.urandom(8).hex()}", "message_id": "1"}
    return {**usual, "pattern": "call", "sender": f"compute.{MINE}", "method": "get_instances", **fields}


@pytest.fixture
def tell(attacker):
    """Give a function that publishes events in one report, and tells whether there was room for it."""

    def tell(*events, body=None, **properties):
        report = json.dumps(events) if body is None else body
        try:
            return attacker.publish("events", report, **properties)
        except amqp.exceptions.MessageNacked:
            return False

    return tell


@pytest.fixture
def show(stack):
    """Give a function that runs mininova-flow as an operator, sees that its lines do nothing to a terminal, and gives
    what it prints.
    """

    def show(*words):
        done = stack.tool("mininova-flow", *words)
        assert (done.returncode, done.stderr) == (0, "")
        assert all(line.isprintable() for line in done.stdout.split("\n"))
        return done.stdout

    return show


@pytest.fixture
def kept(world, tell, show):
    """Give a function that waits until mininova-flow has read what was told before, and lists what it keeps."""

    def kept():
        mark = event(method=f"mark-{next(NUMBERS)}")
        found = {}

        def is_there():
            found.update((one["request_id"], one) for one in json.loads(show("list", "--all", "-f", "json")))
            return mark["request_id"] in found

        world.wait_for_row(lambda: tell(mark), "room for the mark")
        world.wait_for_row(is_there, "the mark")
        return found

    return kept


@pytest.fixture
def real(world, kept):
    """Boot a server on another host, and give a function that sees that its request is kept with all its messages."""
    name = f"real-{os.urandom(4).hex()}"
    uuid = world.boot(name, THEIRS)
    assert world.at_rest(uuid) == "ACTIVE"

    def is_kept():
        found = [one for one in kept().values() if uuid in one["servers"] and one["what"] == "POST /v2.1/servers"]
        return [(one["announced"], one["status"], one["servers"][uuid]) for one in found] == [(True, 202, name)]

    assert is_kept()
    yield is_kept
    world.delete(uuid, wait=True)


@pytest.fixture(autouse=True)
def unchanged():
    """Let the database change: a server is booted."""


def stopped(observe, by_the_flow):
    """Note that the flow stopped an attack, or no one did."""
    observe.seen.add((FLOW if by_the_flow else NO_ONE, NOTHING))


def test_push_out_requests(observe, tell, real):
    """Makes up thousands of requests, to push real ones out of the list."""
    for _ in range(10):
        tell(*(event() for _ in range(500)))
    stopped(observe, real())


def test_push_out_requests_by_size(observe, tell, real):
    """Makes up events with hundreds of megabytes of arguments, to fill the disk."""
    large = json.dumps([event(payload={"a": "x" * 240_000}) for _ in range(4)])
    for _ in range(300):
        tell(body=large)
    stopped(observe, real())


def test_while_others_boot(observe, world, show, flood):
    """Reports without a pause while a server boots on another host, to keep its messages out of the flow."""
    with flood("events", json.dumps([event() for _ in range(200)])) as sent:
        uuid = world.boot("meanwhile", THEIRS)
        assert world.at_rest(uuid) == "ACTIVE"

        def is_complete():
            found = [one for one in json.loads(show("list", "-f", "json")) if uuid in one["servers"]]
            return [one["message_count"] for one in found] == [MESSAGES]

        world.wait_for_row(is_complete, "all messages of the boot, while the flood lasts")
    print(f"{sent.sent} reports")
    world.delete(uuid, wait=True)
    stopped(observe, by_the_flow=True)


def test_by_the_exchange_of_the_services(attacker, observe):
    """Reports by the exchange by which the services do, where its share is not bounded."""
    with observe("mininova.flow"):
        attacker.publish("events", json.dumps([event()]), exchange="mininova.flow")


def test_push_out_requests_by_the_conductor(attacker, observe, real):
    """Asks the conductor again and again as part of requests that it makes up, for the conductor to report them."""
    for _ in range(1500):
        attacker.ask("ping", {"arg": 1}, namespace="baseapi", _context_request_id=f"req-{os.urandom(8).hex()}")
    stopped(observe, real())


def test_announce_a_request(observe, tell, kept):
    """Reports a request to the api that there never was."""
    made_up = event(kind="http", pattern="http", sender="client", receiver="api.ctl-1", method="DELETE /v2.1/servers/x",
                    payload={"status": 204})  # fmt: skip
    tell(made_up)
    stopped(observe, made_up["request_id"] not in kept())


def test_tell_of_a_real_request(observe, tell, show, kept, real):
    """Reports of a real request that it failed, a hundred years ago, in the name of others."""
    (request_id, *_) = [name for name, one in kept().items() if one["what"] == "POST /v2.1/servers"]
    before = kept()[request_id]
    lie = {"request_id": request_id, "at": 1.0, "message_id": request_id, "sender": "conductor.ctl-1"}
    tell(event(**lie, method="POST"), event(**lie, kind="http", method="POST", payload={"status": 500}))
    after = kept()[request_id]
    same = all(after[name] == before[name] for name in ("began", "what", "status", "announced"))
    lines = json.loads(show("show", request_id, "-f", "json"))[0]["messages"]
    stopped(observe, same and all(line["from"] == f"compute.{MINE}" for line in lines if line["method"] == "POST"))


def test_write_on_the_terminal(observe, tell, show, kept):
    """Writes what a terminal would obey, or what no clock shows, into the names, texts and times of an event."""
    request_id, replied = f"req-{os.urandom(8).hex()}", {"kind": "replied"}
    terrible = [
        {"method": TERRIBLE, "sender": TERRIBLE, "receiver": TERRIBLE, "version": TERRIBLE, "message_id": TERRIBLE},
        {"error": TERRIBLE, **replied}, {"kind": TERRIBLE}, {"pattern": TERRIBLE},
        {"payload": {"instance": {"uuid": "a-b-c-d-" + "e" * 28, "display_name": TERRIBLE}}},
        {"payload": {"changes": {TERRIBLE: TERRIBLE}}, "method": "update_instance"},
        {"at": 0}, {"at": 4e9}, {"duration": 1e308, **replied}, {"duration": -5.0, **replied},
        {"payload": {"a": 10**300}}, {"method": "x" * 100_000}, {"error": "x" * 100_000},
    ]  # fmt: skip
    for number, fields in enumerate(terrible):
        tell(event(**{"request_id": request_id, "message_id": str(number), **fields}))
    assert kept()[request_id]["message_count"] > len(terrible) / 2
    for words in ([], ["--payload"], ["-f", "json"]):
        show("show", request_id, *words)
    show("list", "--all")
    stopped(observe, by_the_flow=True)


def test_what_is_no_report(attacker, observe, tell, kept, real):
    """Sends what is no report, or an event with a field that it cannot have."""
    wrong = [
        {"at": "soon"}, {"at": -1.0}, {"at": 1e300}, {"request_id": TERRIBLE}, {"request_id": "../../x"},
        {"request_id": 5}, {"payload": []}, {"method": None}, {"method": "\ud800"},
    ]  # fmt: skip
    before = kept()
    for body in b"", b"{}", b"\xff", b"[" * 100_000, b"[null]", b'["\xff"]', b'[{"kind":"sent","at":NaN}]', b"[11":
        tell(body=body)
    for fields in wrong:
        tell(event(**fields))
    more = [one for one in kept().values() if one["told_by"] == [attacker.user] and one["request_id"] not in before]
    stopped(observe, [one["what"][:5] for one in more] == ["mark-"] and real())


@pytest.mark.sees("nothing; but `mininova-flow list --all` says that `others` tell of it")
def test_without_a_name(observe, tell, kept):
    """Reports without saying who it is."""
    nameless = event()
    with observe():
        tell(nameless, user_id=NOBODY)
    assert kept()[nameless["request_id"]]["told_by"] == ["others"]


def test_as_a_service(attacker, observe):
    """Reports in the name of the api."""
    with observe():
        attacker.publish("events", json.dumps([event(kind="http")]), user_id="api")
