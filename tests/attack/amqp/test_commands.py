"""Commanding another compute."""

import pytest
from taken_over import EXCHANGE, NOBODY, dying_queue, request

TO_THEM = "compute.host-2"
THEM = "mininova-compute-host-2"


@pytest.fixture
def command(theirs):
    """Give the command that every attack here tries to bring to the other host: to stop a server."""
    return request("stop_instance", {"instance": theirs}, _msg_id=None)


@pytest.fixture
def back_door(attacker):
    """Give an exchange under a name that is the attacker's to use, behind which the control exchange lies."""
    name = f"compute.{attacker.host}.dead"
    with attacker.channel() as channel:
        channel.exchange_declare(name, "topic", durable=False, auto_delete=False)
        channel.exchange_bind(EXCHANGE, name, "#")
        yield name
        channel.exchange_delete(name)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
def test_by_the_control_exchange(attacker, refused, command):
    """Sends another compute a command through the control exchange."""
    with refused.by_broker("ACCESS_REFUSED", TO_THEM):
        attacker.publish(TO_THEM, command)


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
    with refused.by_broker("ACCESS_REFUSED", "'compute'"):
        attacker.publish("compute", command)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
@pytest.mark.parametrize("fanout", ["compute_fanout", "conductor_fanout", "scheduler_fanout"])
def test_by_a_fanout(attacker, refused, fanout):
    """Declares the fanout exchange of a topic, to reach all its servers at once."""
    with refused.by_broker("ACCESS_REFUSED", fanout), attacker.channel() as channel:
        channel.exchange_declare(fanout, "fanout", durable=False, auto_delete=True)


@pytest.mark.attack(refused_by="compute", sees="nothing: the broker takes it, and its receiver drops it")
@pytest.mark.parametrize("header", ["CC", "BCC"])
@pytest.mark.parametrize("user_id", [None, NOBODY], ids=["as-itself", "as-nobody"])
def test_by_a_copy(attacker, refused, command, header, user_id):
    """Sends a harmless message to the conductor, and another compute a copy of it by the header `CC` or `BCC`."""
    with refused.by(THEM, "denied", "stop_instance"):
        attacker.publish("conductor", command, user_id=user_id, headers={header: [TO_THEM]})


@pytest.mark.attack(refused_by="compute", sees="nothing: the broker takes it, and its receiver drops it")
@pytest.mark.parametrize("user_id", [None, NOBODY], ids=["as-itself", "as-nobody"])
def test_by_an_exchange_of_its_own(attacker, refused, command, back_door, user_id):
    """Makes an exchange under a name of its own, binds the control exchange behind it, and sends the command there."""
    with refused.by(THEM, "denied", "stop_instance"):
        attacker.publish(TO_THEM, command, exchange=back_door, user_id=user_id)


@pytest.mark.attack(refused_by="compute", sees="nothing: the broker takes it, and its receiver drops it")
def test_by_an_alternate_exchange(attacker, refused, command):
    """Makes an exchange that leads nowhere, whose alternate is the control exchange."""
    name = f"compute.{attacker.host}.pause.7"
    with attacker.channel() as channel:
        alternate = {"alternate-exchange": EXCHANGE}
        channel.exchange_declare(name, "direct", durable=False, auto_delete=False, arguments=alternate)
        with refused.by(THEM, "denied", "stop_instance"):
            attacker.publish(TO_THEM, command, exchange=name)
        channel.exchange_delete(name)


@pytest.mark.attack(refused_by="compute", sees="nothing: the broker takes it, and its receiver drops it")
@pytest.mark.parametrize("user_id", [None, NOBODY], ids=["as-itself", "as-nobody"])
def test_by_a_dead_letter(attacker, refused, command, user_id):
    """Lets a message die in a queue of its own whose dead letters go to another compute."""
    with dying_queue(attacker, TO_THEM) as key, refused.by(THEM, "denied", "stop_instance"):
        attacker.publish(key, command, user_id=user_id)


@pytest.mark.attack(refused_by="compute", sees="nothing: the broker takes it, and its receiver drops it")
def test_by_a_dead_letter_of_somebody_trusted(attacker, refused, console):
    """Lets what the api sent to it die in a queue of its own, so that another compute gets it, and from the api."""
    with (
        dying_queue(attacker, TO_THEM, key=f"compute.{attacker.host}"),
        refused.by(THEM, "denied", "get_console_output"),
    ):
        console.asked_of_mine()


@pytest.mark.attack(refused_by="scheduler", sees="nothing: the broker takes it, and its receiver drops it")
def test_of_the_scheduler(attacker, refused, back_door, spec):
    """Asks the scheduler for rooms, by an exchange of its own, since the broker lets it send the scheduler nothing."""
    asked = request("select_destinations", {"request_spec": spec, "instance_uuids": []})
    with refused.by("mininova-scheduler", "denied", "select_destinations", attacker.user):
        attacker.publish("scheduler", asked, exchange=back_door, reply_to=attacker.reply_queue)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
def test_the_scheduler_directly(attacker, refused):
    """Asks the scheduler for rooms by the control exchange."""
    with refused.by_broker("ACCESS_REFUSED", "scheduler"):
        attacker.publish("scheduler", request("select_destinations", {"request_spec": {}, "instance_uuids": []}))
