"""Answering what others were asked."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.fixtures import taken_over
from tests.fixtures.observations import ANSWER, NO_ONE
from tests.fixtures.taken_over import PATIENCE, REPLIES, changed, enveloped, own_object, reply, request

UNASKED = "nothing: the caller drops it, and goes on waiting for the answer of the one that it asked"


@pytest.fixture(autouse=True)
def asked_before(console):
    """Have the api ask it something first: only then does the api listen to it, and it forgets what came unasked."""
    console.asked_of_mine()


@pytest.mark.sees(UNASKED)
@pytest.mark.parametrize(
    ("user_id", "said"),
    [(None, "denied a reply to 'compute.host-1'"), (taken_over.NOBODY, "which is not its sender's")],
    ids=["as-itself", "without-a-name"],
)
def test_a_call_asked_of_another(world, attacker, observe, console, flow, reply_queues, user_id, said):
    """Answers a call that the api asks of another compute, on the right queue and with the right id."""
    with ThreadPoolExecutor(1) as user:
        with world.holding_theirs():
            seen = user.submit(console.look, "host-2")
            asked = flow(kind="sent", method="get_console_output", routing_key="compute.host-2")
            forged = reply(asked["message_id"], "as the attacker likes it")
            with observe.logged("mininova-api", said):
                attacker.publish(reply_queues["api"], forged, user_id=user_id)
        assert "as the attacker likes it" not in str(seen.result(PATIENCE))


@pytest.mark.sees(UNASKED)
def test_by_the_conductor(world, attacker, observe, console, flow, reply_queues):
    """Asks the conductor something, and has the answer sent to the api, which waits for one of another compute."""
    with ThreadPoolExecutor(1) as user:
        with world.holding_theirs():
            seen = user.submit(console.look, "host-2")
            asked = flow(kind="sent", method="get_console_output", routing_key="compute.host-2")
            body = request("get_levels", {}, _msg_id=asked["message_id"], _reply_q=reply_queues["api"])
            attacker.publish("conductor", body, reply_to=reply_queues["api"], message_id=asked["message_id"])
            answered = flow(kind="replied", message_id=asked["message_id"], method="get_levels")
        observe.handled(answered, "conductor" in str(seen.result(PATIENCE)))


@pytest.mark.sees("nothing: it answers in the caller's own reply queues only")
@pytest.mark.parametrize("queue", ["compute.host-2", "the api's", "the other compute's", "notifications.info"])
@pytest.mark.parametrize("how", ["reply_to", "_reply_q"])
def test_an_answer_where_it_may_not_write(attacker, observe, reply_queues, logs, flow, listener, queue, how):
    """Has the conductor write its answer into another's queue, where it may not write itself."""
    queue = {"the api's": reply_queues["api"], "the other compute's": reply_queues["compute"]}.get(queue, queue)
    msg_id, last, note = uuid4().hex, uuid4().hex, json.dumps({"note": uuid4().hex})
    if how == "reply_to":
        attacker.publish("conductor", request("get_levels", {}, _msg_id=msg_id), reply_to=queue, message_id=msg_id)
    else:
        attacker.publish("conductor", request("get_levels", {}, _msg_id=msg_id, _reply_q=queue), message_id=msg_id)
    answered = flow(kind="replied", message_id=msg_id)
    # What follows comes after the answer, at each place where that can have gone.
    attacker.publish(reply_queues["api"], reply(last, rejected="bm90IHlvdXJz"), message_id=last)
    flow(kind="denied", message_id=last)
    attacker.publish("notifications.info", note)
    notified = [it for it in listener(note) if msg_id in str(it.body)]
    observe.handled(answered, notified, [line for log in logs.values() for line in log.lines if msg_id in line])


def test_by_a_binding(attacker, observe, reply_queues, keeper):
    """Binds the api's queue to its own replies, and asks the conductor something, as if the api had asked."""
    with observe(reply_queues["api"]), attacker.channel() as channel:
        channel.queue_bind(reply_queues["api"], REPLIES, attacker.reply_queue)
    if keeper:  # a Qpid, which lets it
        observe.seen.clear()
        with observe.logged("mininova-api", "another user bound that"):
            attacker.ask("get_levels", {})
        observe.seen.discard((NO_ONE, ANSWER))  # which it may have
        there = {"source": REPLIES, "destination": reply_queues["api"], "routing_key": attacker.reply_queue}
        keeper.unbind(there)


@pytest.mark.parametrize("queue", ["api", "conductor", "compute"])
def test_by_the_exchange_of_replies(attacker, observe, reply_queues, queue):
    """Sends an answer to any process, by the exchange by which the services answer each other."""
    with observe(REPLIES):
        attacker.publish(reply_queues[queue], reply("0" * 32, "anything"), exchange=REPLIES)


@pytest.mark.sees("312 NO_ROUTE: a service reads the lanes of those only that it has asked something")
def test_an_answer_to_who_never_asked(attacker, observe, reply_queues):
    """Sends an answer by its lane to a service, or a compute, that asks it nothing."""
    with observe():
        for queue in (reply_queues["scheduler"], reply_queues["compute"]):
            attacker.publish(queue, reply("0" * 32, "anything"))


@pytest.mark.sees("nothing: no call waits for it")
def test_guessed_ids(attacker, observe, reply_queues):
    """Sends the api answers to ids that it guesses."""
    with observe.logged("mininova-api", "00000000000000000000000000000007"):
        for number in range(10):
            attacker.publish(reply_queues["api"], reply(f"{number:032x}", "anything"))


@pytest.mark.sees("nothing: only the first counts")
def test_answering_twice(observe, console):
    """Answers a call twice, with another result the second time."""

    def twice(call):
        console.honestly(call, "first")
        console.honestly(call, "second")

    with observe.logged("mininova-api", "for which no call waits"):
        _, seen = console.asked_of_mine(twice)
    assert seen == "first"


@pytest.mark.sees("nothing: the user gets an error, and the api goes on")
@pytest.mark.parametrize(
    "answer",
    [
        b"not JSON", b"\xff\xfe", b"[]", enveloped([]), enveloped({"_msg_id": {}}), enveloped({"failure": "{{"}),
        enveloped({"_msg_id": "0", "failure": '"text"'}),
        '{"oslo.version": "9.0", "oslo.message": "{}"}', "[" * 50_000,
    ],
    ids=["no-json", "no-utf-8", "array", "payload-array", "id-object", "failure", "failure-text", "future", "deep"],
)  # fmt: skip
def test_an_answer_that_cannot_be_read(attacker, observe, console, reply_queues, answer):
    """Answers with bytes that are no reply."""
    with observe.logged("mininova-api", "dropped a reply"):
        attacker.publish(reply_queues["api"], answer)


@pytest.mark.sees("nothing: the user gets an error without a traceback")
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
def test_an_answer_of_another_kind(attacker, observe, console, logs, said):
    """Answers a call with a result of another type, or with an error whose class names a module."""
    log, begin = logs["mininova-api"], len(logs["mininova-api"].lines)

    def answer(call):
        attacker.publish(call.reply_to, reply(call.message_id, **said))

    _, seen = console.asked_of_mine(answer)
    observe.shown(seen)
    assert "Traceback" not in str(seen) + seen.response.text
    assert not [line for line in log.lines[begin:] if "Traceback" in line]


@pytest.mark.sees(UNASKED)
@pytest.mark.parametrize("way", ["itself", "the conductor"])
def test_a_rejection_made_up(attacker, observe, flow, theirs, reply_queues, way):
    """Refuses a command that the api never sent, to put the server in it into ERROR."""
    building = changed(theirs, task_state="scheduling")
    cast = request("build_instances", {"instances": [building]}, _msg_id=None)
    failure = '{"class": "UnsupportedVersion", "module": "mininova.rpc.errors", "message": "made up", "kwargs": {}}'
    if way == "itself":
        rejected = taken_over.base64.b64encode(cast.encode()).decode()
        body = reply(uuid4().hex, failure=failure, rejected=rejected)
        with observe.logged("mininova-api", "denied a reply"):
            attacker.publish(reply_queues["api"], body)
    else:
        message_id = uuid4().hex
        attacker.publish("conductor", cast, reply_to=reply_queues["api"], message_id=message_id)
        observe.handled(flow(kind="rejected", message_id=message_id))


@pytest.mark.sees("`Forbidden`: the broker says who asks, and not the message")
def test_a_call_in_anothers_queue(attacker, observe, console):
    """Reads what the api sent to it, and asks the conductor with the ids of that message."""
    call, _ = console.asked_of_mine()
    with observe("host-2"):
        attacker.ask("get_instances", {"host": "host-2"}, _unique_id=call.payload["_unique_id"])
