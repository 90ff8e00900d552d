"""Commanding another compute."""

import pytest

from tests.fixtures.taken_over import EXCHANGE, NOBODY, dying_queue, request

TO_THEM = "compute.host-2"
THEIR_LANE = "mininova.from.compute.host-2"
NOWHERE = "nothing: the broker has no queue for it"


@pytest.fixture
def command(theirs):
    """Give the command that every attack here tries to bring to the other host: to stop a server."""
    return request("stop_instance", {"instance": theirs}, _msg_id=None)


def test_by_the_control_exchange(attacker, observe, command):
    """Sends another compute a command through the control exchange."""
    with observe(EXCHANGE):
        attacker.publish(TO_THEM, command, exchange=EXCHANGE)


@pytest.mark.parametrize("user_id", [None, NOBODY], ids=["as-itself", "without-a-name"])
def test_by_the_default_exchange(attacker, observe, command, user_id):
    """Sends it through the default exchange, which would put it into any queue by its name."""
    with observe("amq.default"):
        attacker.publish(TO_THEM, command, exchange="", user_id=user_id)


@pytest.mark.parametrize("exchange", ["amq.direct", "amq.topic", "amq.fanout", "amq.headers"])
def test_by_an_exchange_of_the_broker_s(attacker, observe, command, exchange):
    """Sends it through an exchange that every broker has."""
    with observe(exchange):
        attacker.publish(TO_THEM, command, exchange=exchange)


def test_by_the_topic_of_all_computes(attacker, observe, command):
    """Sends it to the topic of all computes."""
    with observe(EXCHANGE):
        attacker.publish("compute", command, exchange=EXCHANGE)


@pytest.mark.parametrize("fanout", ["compute_fanout", "conductor_fanout", "scheduler_fanout"])
def test_by_a_fanout(attacker, observe, fanout):
    """Declares the fanout exchange of a topic, to reach all its servers at once."""
    with observe(fanout), attacker.channel() as channel:
        channel.exchange_declare(fanout, "fanout", durable=False, auto_delete=True)


@pytest.mark.sees(NOWHERE)
@pytest.mark.parametrize("key", [TO_THEM, "compute", "scheduler", "#", "*", "compute.*"])
def test_by_its_lane(attacker, observe, command, reaching_no_other, key):
    """Sends it by the one exchange that it may write to, its lane, under any key."""
    with reaching_no_other(), observe():
        attacker.publish(key, command)


@pytest.mark.sees(NOWHERE)
@pytest.mark.parametrize("header", ["CC", "BCC"])
@pytest.mark.parametrize("user_id", [None, NOBODY], ids=["as-itself", "without-a-name"])
def test_by_a_copy(attacker, observe, command, reaching_no_other, header, user_id):
    """Sends a harmless message to the conductor, and another compute a copy of it by the header `CC` or `BCC`."""
    with reaching_no_other():
        harmless = request("get_levels", {}, _msg_id=None)
        assert attacker.publish("conductor", harmless, user_id=user_id, headers={header: [TO_THEM]})
        with observe():
            attacker.publish("nowhere", command, user_id=user_id, headers={header: [TO_THEM]})


@pytest.mark.only_rabbitmq  # Qpid binds no exchange behind another
@pytest.mark.parametrize("behind", [EXCHANGE, "mininova.reply", "mininova.notifications", THEIR_LANE])
def test_by_an_exchange_of_its_own(attacker, observe, behind):
    """Makes an exchange under a name of its own, and binds behind it an exchange that it may not write to."""
    name = f"compute.{attacker.host}.dead"
    with attacker.channel() as channel:
        channel.exchange_declare(name, "topic", durable=False, auto_delete=False)
        with observe(behind), attacker.channel() as another:
            another.exchange_bind(behind, name, "#")
        channel.exchange_delete(name)


def test_by_an_alternate_exchange(attacker, observe):
    """Makes an exchange that leads nowhere, whose alternate is the control exchange."""
    alternate = {"alternate-exchange": EXCHANGE}
    with observe(EXCHANGE), attacker.channel() as channel:
        name = f"compute.{attacker.host}.pause.5"
        channel.exchange_declare(name, "direct", durable=False, auto_delete=False, arguments=alternate)


def test_by_a_dead_letter(attacker, observe):
    """Makes a queue in which everything dies at once, and whose dead letters go to another compute."""
    letters = {"x-message-ttl": 0, "x-dead-letter-exchange": EXCHANGE, "x-dead-letter-routing-key": TO_THEM}
    with observe(EXCHANGE), attacker.channel() as channel:
        name = f"compute.{attacker.host}.pause.1"
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=letters)


@pytest.mark.parametrize("key", [TO_THEM, "conductor"])
def test_by_a_dead_letter_of_the_api(attacker, observe, key):
    """Has what the api sends to it forwarded as a dead letter, still in the api's name."""
    with observe(EXCHANGE), dying_queue(attacker, key):
        pass


def test_the_scheduler_directly(attacker, observe):
    """Asks the scheduler for rooms by the control exchange."""
    with observe(EXCHANGE):
        asked = request("select_destinations", {"request_spec": {}, "instance_uuids": []})
        attacker.publish("scheduler", asked, exchange=EXCHANGE)
