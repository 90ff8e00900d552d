"""What travels beside a message, and how long it is."""

import pytest


def test_a_body_that_is_too_long(attacker, observe):
    """Sends a body of 1 MiB and one byte, for the conductor to read."""
    with observe("message size 1048577 is larger than"):
        attacker.publish("conductor", b"x" * 1048577)


@pytest.mark.only_rabbitmq
def test_bodies_that_are_too_long(attacker, observe, held_by_the_broker):
    """Sends bodies of 1 MiB and one byte, again and again, to fill the memory of the broker."""
    before = held_by_the_broker()
    for _ in range(100):
        with observe("message size 1048577 is larger than"):
            attacker.publish("conductor", b"x" * 1048577)
    assert held_by_the_broker() < before + 16 * 1024**2  # bytes; the broker frees the last ones when it likes


@pytest.mark.sees("its answer: what cannot be read beside a message is passed over")
@pytest.mark.parametrize(
    "properties",
    [
        {"headers": {"x-mininova-deliveries": "many"}}, {"headers": {"x-mininova-deliveries": -5}},
        {"headers": {"x-mininova-deliveries": 2**40}}, {"headers": {"traceparent": "x" * 60_000}},
        {"headers": {f"h{number}": "x" * 100 for number in range(500)}}, {"headers": {"tracestate": "a=\u0000"}},
        {"headers": {"deep": {"deep": {"deep": [[[["deep"]]]]}}}}, {"app_id": "x" * 255}, {"app_id": "a\nERROR b"},
        {"content_type": "application/x-python-pickle"}, {"content_encoding": "gzip"}, {"priority": 255},
        {"type": "x" * 255}, {"delivery_mode": 2},
    ],
    ids=lambda properties: str(properties)[:36],
)  # fmt: skip
def test_terrible_properties(attacker, observe, properties):
    """Puts values that no service expects into the properties and headers of a message."""
    with observe():
        answer = attacker.ask("ping", {"arg": 1}, namespace="baseapi", properties=properties)
    assert answer.result == {"service": "conductor", "arg": 1}


@pytest.mark.sees("its answer, and a sign of life now and then")
@pytest.mark.parametrize("seconds", [1e-300, 0.0, -1.0, 1e300])
def test_signs_of_life(attacker, observe, seconds):
    """Asks for a sign of life every so many seconds: zero, less, or more than any clock has."""
    with observe():
        attacker.ask("ping", {"arg": 1}, namespace="baseapi", _timeout=seconds)


def test_a_name_in_properties_without_a_use(attacker, observe):
    """Claims another name in properties that no service reads."""
    claimed = {"type": "conductor", "correlation_id": "conductor", "cluster_id": "conductor"}
    with observe("host-2"):
        attacker.ask("get_instances", {"host": "host-2"}, properties=claimed)
