"""Commanding another compute."""

import pytest

from tests.fixtures.taken_over import EXCHANGE, NOBODY, dying_queue, request

TO_THEM = "compute.host-2"
THEIR_LANE = "mininova.from.compute.host-2"
NOWHERE = "nothing: the broker takes it, and brings it to nobody"


@pytest.fixture
def command(theirs):
    """Give the command that every attack here tries to bring to the other host: to stop a server."""
    return request("stop_instance", {"instance": theirs}, _msg_id=None)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
def test_by_the_control_exchange(attacker, refused, command):
    """Sends another compute a command through the control exchange."""
    with refused.by_broker("ACCESS_REFUSED", EXCHANGE):
        attacker.publish(TO_THEM, command, exchange=EXCHANGE)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
@pytest.mark.parametrize("user_id", [None, NOBODY], ids=["as-itself", "as-nobody"])
def test_by_the_default_exchange(attacker, refused, command, user_id):
    """Sends it through the default exchange, which would put it into any queue by its name."""
    with refused.by_broker("ACCESS_REFUSED", "amq.default"):
        attacker.publish(TO_THEM, command, exchange="", user_id=user_id)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
@pytest.mark.parametrize("exchange", ["amq.direct", "amq.topic", "amq.fanout", "amq.headers"])
def test_by_an_exchange_of_the_broker_s(attacker, refused, command, exchange):
    """Sends it through an exchange that every broker has."""
    with refused.by_broker("ACCESS_REFUSED", exchange):
        attacker.publish(TO_THEM, command, exchange=exchange)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
def test_by_the_topic_of_all_computes(attacker, refused, command):
    """Sends it to whichever compute reads the topic that all of them could share."""
    with refused.by_broker("ACCESS_REFUSED", EXCHANGE):
        attacker.publish("compute", command, exchange=EXCHANGE)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
@pytest.mark.parametrize("fanout", ["compute_fanout", "conductor_fanout", "scheduler_fanout"])
def test_by_a_fanout(attacker, refused, fanout):
    """Declares the fanout exchange of a topic, to reach all its servers at once."""
    with refused.by_broker("ACCESS_REFUSED", fanout), attacker.channel() as channel:
        channel.exchange_declare(fanout, "fanout", durable=False, auto_delete=True)


@pytest.mark.attack(refused_by="broker", sees=NOWHERE)
@pytest.mark.parametrize("key", [TO_THEM, "compute", "scheduler", "#", "*", "compute.*"])
def test_by_its_lane(attacker, refused, command, console, flow, key):
    """Sends it by the one exchange that it may write to, its lane, under any key."""
    with refused.reaching_nobody(console, flow):
        assert not attacker.publish(key, command)


@pytest.mark.attack(refused_by="broker", sees=NOWHERE)
@pytest.mark.parametrize("header", ["CC", "BCC"])
@pytest.mark.parametrize("user_id", [None, NOBODY], ids=["as-itself", "as-nobody"])
def test_by_a_copy(attacker, refused, command, console, flow, header, user_id):
    """Sends a harmless message to the conductor, and another compute a copy of it by the header `CC` or `BCC`."""
    with refused.reaching_nobody(console, flow):
        harmless = request("get_levels", {}, _msg_id=None)
        assert attacker.publish("conductor", harmless, user_id=user_id, headers={header: [TO_THEM]})
        assert not attacker.publish("nowhere", command, user_id=user_id, headers={header: [TO_THEM]})


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
@pytest.mark.parametrize("behind", [EXCHANGE, "mininova.reply", "mininova.notifications", THEIR_LANE])
def test_by_an_exchange_of_its_own(attacker, refused, behind):
    """Makes an exchange under a name of its own, and binds behind it one that it may not write to."""
    name = f"compute.{attacker.host}.dead"
    with attacker.channel() as channel:
        channel.exchange_declare(name, "topic", durable=False, auto_delete=False)
        with refused.by_broker("ACCESS_REFUSED", behind), attacker.channel() as another:
            another.exchange_bind(behind, name, "#")
        channel.exchange_delete(name)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
def test_by_an_alternate_exchange(attacker, refused):
    """Makes an exchange that leads nowhere, whose alternate is the control exchange."""
    alternate = {"alternate-exchange": EXCHANGE}
    with refused.by_broker("ACCESS_REFUSED", EXCHANGE), attacker.channel() as channel:
        name = f"compute.{attacker.host}.pause.7"
        channel.exchange_declare(name, "direct", durable=False, auto_delete=False, arguments=alternate)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
def test_by_a_dead_letter(attacker, refused):
    """Makes a queue in which everything dies at once, and whose dead letters go to another compute."""
    letters = {"x-message-ttl": 0, "x-dead-letter-exchange": EXCHANGE, "x-dead-letter-routing-key": TO_THEM}
    with refused.by_broker("ACCESS_REFUSED", EXCHANGE), attacker.channel() as channel:
        name = f"compute.{attacker.host}.pause.9"
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=letters)


@pytest.mark.attack(refused_by="broker", sees=NOWHERE)
def test_by_a_dead_letter_of_somebody_trusted(attacker, refused, console, flow):
    """Lets what the api sent to it die in a queue of its own, and go by its lane, so that another compute gets it."""
    with dying_queue(attacker, TO_THEM), refused.reaching_nobody(console, flow):
        console.asked_of_mine()


@pytest.mark.attack(refused_by="conductor", sees="nothing: the broker takes it, and its receiver drops it")
def test_a_dead_letter_to_the_conductor(attacker, refused, console):
    """Has what the api sent to it come to the conductor in the same way, and in the api's name."""
    with dying_queue(attacker, "conductor"), refused.listed("api", "get_console_output"):
        console.asked_of_mine()


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
def test_the_scheduler_directly(attacker, refused):
    """Asks the scheduler for rooms by the control exchange."""
    with refused.by_broker("ACCESS_REFUSED", EXCHANGE):
        asked = request("select_destinations", {"request_spec": {}, "instance_uuids": []})
        attacker.publish("scheduler", asked, exchange=EXCHANGE)
