"""Answering what others were asked."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.fixtures import taken_over
from tests.fixtures.taken_over import PATIENCE, REPLIES, changed, enveloped, own_object, payload_of, reply, request

THEM = "mininova-compute-host-2"
UNASKED = "nothing: the caller drops it, and goes on waiting for whom it asked"


@pytest.fixture(autouse=True)
def asked_before(console):
    """Have the api ask it something first: only then does the api listen to it, and it forgets what came unasked."""
    console.asked_of_mine()


@pytest.fixture
def stopped(stack):
    """Stop the other compute, so that what it is asked takes a while; it goes on afterwards."""
    pid = stack.pids()[THEM]
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@pytest.fixture
def go_on(stack):
    """Give a function that lets the other compute go on."""
    return lambda: os.kill(stack.pids()[THEM], signal.SIGCONT)


@pytest.mark.attack(refused_by="api", sees=UNASKED)
@pytest.mark.parametrize(
    ("user_id", "said"),
    [(None, "denied a reply to 'compute.host-1'"), (taken_over.NOBODY, "which is not its sender's")],
    ids=["as-itself", "as-nobody"],
)
def test_a_call_asked_of_another(attacker, refused, console, flow, reply_queues, stopped, go_on, user_id, said):
    """Answers a call that the api asks of another compute, on the right queue and with the right id."""
    with ThreadPoolExecutor(1) as user:
        seen = user.submit(console.look, "host-2")
        asked = flow(kind="sent", method="get_console_output")
        with refused.by("mininova-api", said):
            forged = reply(asked["message_id"], "as the attacker likes it")
            attacker.publish(reply_queues["api"], forged, user_id=user_id)
        go_on()
        assert "as the attacker likes it" not in str(seen.result(PATIENCE))


@pytest.mark.attack(refused_by="api", sees=UNASKED)
def test_by_the_conductor(attacker, refused, console, flow, reply_queues, stopped, go_on):
    """Asks the conductor something whose answer is to go to the api, as the answer to what the api asks of another."""
    with ThreadPoolExecutor(1) as user:
        seen = user.submit(console.look, "host-2")
        asked = flow(kind="sent", method="get_console_output")
        body = request("get_levels", {}, _msg_id=asked["message_id"], _reply_q=reply_queues["api"])
        attacker.publish("conductor", body, reply_to=reply_queues["api"], message_id=asked["message_id"])
        go_on()
        assert "conductor" not in str(seen.result(PATIENCE))
    refused.seen.add("api")


@pytest.mark.attack(refused_by="conductor", sees="nothing: it answers in the caller's own reply queues only")
@pytest.mark.parametrize("queue", ["compute.host-2", "the api's", "the other compute's", "notifications.info"])
@pytest.mark.parametrize("how", ["reply_to", "_reply_q"])
def test_an_answer_where_it_may_not_write(attacker, refused, reply_queues, logs, flow, listener, queue, how):
    """Has the conductor write its answer into another's queue, where it may not write itself."""
    queue = {"the api's": reply_queues["api"], "the other compute's": reply_queues["compute"]}.get(queue, queue)
    msg_id, last, note = uuid4().hex, uuid4().hex, json.dumps({"note": uuid4().hex})
    if how == "reply_to":
        attacker.publish("conductor", request("get_levels", {}, _msg_id=msg_id), reply_to=queue)
    else:
        attacker.publish("conductor", request("get_levels", {}, _msg_id=msg_id, _reply_q=queue))
    # What follows comes after it, wherever it went.
    assert attacker.ask("get_levels", {}).failure is None
    attacker.publish(reply_queues["api"], reply(last, rejected="bm90IHlvdXJz"), message_id=last)
    flow(kind="denied", message_id=last)
    attacker.publish("notifications.info", note)
    assert not [it for it in listener(note) if msg_id in str(it.body)]
    assert not [line for log in logs.values() for line in log.lines if msg_id in line]
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
@pytest.mark.parametrize("queue", ["api", "conductor", "compute"])
def test_by_the_exchange_of_replies(attacker, refused, reply_queues, queue):
    """Sends an answer to whom it likes, by the exchange by which the services answer each other."""
    with refused.by_broker("ACCESS_REFUSED", REPLIES):
        attacker.publish(reply_queues[queue], reply("0" * 32, "anything"), exchange=REPLIES)


@pytest.mark.attack(refused_by="broker", sees="nothing: who never asked it anything does not hear it")
def test_an_answer_to_who_never_asked(attacker, refused, reply_queues):
    """Sends an answer by its lane to a service, or a compute, that asks it nothing."""
    for queue in (reply_queues["scheduler"], reply_queues["compute"]):
        assert not attacker.publish(queue, reply("0" * 32, "anything"))
    refused.seen.add("broker")


@pytest.mark.attack(refused_by="api", sees="nothing: nobody waits for it")
def test_guessed_ids(attacker, refused, reply_queues, logs):
    """Sends the api answers to ids that it guesses."""
    with refused.by("mininova-api", "00000000000000000000000000000007"):
        for number in range(10):
            attacker.publish(reply_queues["api"], reply(f"{number:032x}", "anything"))


@pytest.mark.attack(refused_by="api", sees="nothing: only the first counts")
def test_answering_twice(attacker, refused, console, logs):
    """Answers its own call twice, the second time otherwise."""

    def twice(call):
        console.honestly(call, "first")
        console.honestly(call, "second")

    call, seen = console.asked_of_mine(twice)
    assert seen == "first"
    log = logs["mininova-api"]
    log.wait_for(call.properties["message_id"])
    refused.seen.add("api")


@pytest.mark.attack(refused_by="api", sees="nothing: the user gets an error, and the api goes on")
@pytest.mark.parametrize(
    "answer",
    [
        b"not JSON", b"\xff\xfe", b"[]", enveloped([]), enveloped({"_msg_id": {}}), enveloped({"failure": "{{"}),
        enveloped({"_msg_id": "0", "failure": '"text"'}),
        '{"oslo.version": "9.0", "oslo.message": "{}"}', "[" * 50_000,
    ],
    ids=["no-json", "no-utf-8", "array", "payload-array", "id-object", "failure", "failure-text", "future", "deep"],
)  # fmt: skip
def test_an_answer_that_cannot_be_read(attacker, refused, console, reply_queues, answer):
    """Answers with bytes that are none."""
    with refused.by("mininova-api", "dropped a reply"):
        attacker.publish(reply_queues["api"], answer)


@pytest.mark.attack(refused_by="api", sees="nothing: the user gets an error without a traceback")
@pytest.mark.parametrize(
    "said",
    [
        {"result": 5}, {"result": {"a": ["b"] * 1000}}, {"result": own_object("Instance")}, {"result": None},
        {"failure": "{}"},
        {"failure": '{"class": "system", "module": "os", "message": "true", "args": ["touch /tmp/x"], "kwargs": {}}'},
        {"failure": '{"class": "Popen", "module": "subprocess", "message": "true", "args": [["true"]]}'},
        {"failure": '{"class": "ConfigError", "module": "mininova.errors", "message": "%s {0} {host}", "kwargs": 5}'},
        {"failure": '{"class": "SystemExit", "module": "builtins", "message": "0", "kwargs": {"__class__": 1}}'},
    ],
    ids=["number", "object", "instance", "null", "empty", "os.system", "subprocess", "template", "SystemExit"],
)  # fmt: skip
def test_an_answer_of_another_kind(attacker, refused, console, logs, said):
    """Answers its own call with what was not asked for, or with an error whose class names a module."""
    log, begin = logs["mininova-api"], len(logs["mininova-api"].lines)

    def answer(call):
        body = reply(call.properties["message_id"], **said)
        attacker.publish(call.properties["reply_to"], body)

    _, seen = console.asked_of_mine(answer)
    assert isinstance(seen, Exception), seen
    assert "Traceback" not in str(seen) + seen.response.text
    assert not [line for line in log.lines[begin:] if "Traceback" in line]
    refused.seen.add("api")


@pytest.mark.attack(refused_by="api", sees=UNASKED)
@pytest.mark.parametrize("way", ["itself", "the conductor"])
def test_a_rejection_made_up(attacker, refused, theirs, reply_queues, way):
    """Says that a command of the api's was refused that the api never sent, to put the server in it into ERROR."""
    building = changed(theirs, task_state="scheduling")
    cast = request("build_instances", {"instances": [building]}, _msg_id=None)
    failure = '{"class": "UnsupportedVersion", "module": "mininova.rpc.errors", "message": "made up", "kwargs": {}}'
    if way == "itself":
        rejected = taken_over.base64.b64encode(cast.encode()).decode()
        body = reply(uuid4().hex, failure=failure, rejected=rejected)
        with refused.by("mininova-api", "denied a reply"):
            attacker.publish(reply_queues["api"], body)
    else:
        attacker.publish("conductor", cast, reply_to=reply_queues["api"])
        assert attacker.ask("get_levels", {}).failure is None  # which comes after the other
        refused.seen.add("api")


@pytest.mark.attack(refused_by="conductor", sees="nothing: the answer goes to whom the broker says has asked")
def test_a_call_in_anothers_queue(attacker, refused, console):
    """Reads what the api sent it, and asks the conductor with the ids of that."""
    call, _ = console.asked_of_mine()
    answer = attacker.ask("get_instances", {"host": "host-2"}, _unique_id=payload_of(call)["_unique_id"])
    refused.by_conductor(answer, "get_instances", "host-2")
