"""Which senders' replies we trust, and which reply queues we may write to."""

import pytest

from mininova.trust import identities, replies

HOSTS = {"compute.host-1": ("host-1",), "compute.rack": ("host-2", "host-3")}

believed = replies.believing(lambda name: identities.of(name, lambda compute: HOSTS.get(compute, ())))


@pytest.mark.parametrize(
    ("asked", "replied", "counts"),
    [
        ("conductor", "conductor", True),
        ("scheduler", "scheduler", True),
        ("compute.host-1", "compute.host-1", True),
        ("compute.host-3", "compute.rack", True),
        ("compute.host-1", "compute.rack", False),
        ("compute.rack", "compute.rack", False),
        ("compute.host-1", "conductor", False),
        ("compute.host-4", "compute.host-4", False),
        ("conductor", "compute.host-1", False),
        ("conductor", "scheduler", False),
        ("conductor", "manage", False),
        ("conductor", None, False),
        ("compute", "compute.host-1", False),
    ],
)
def test_only_the_called_service_may_answer(asked: str, replied: str | None, counts: bool):
    """Only a service answers for its topic, and a compute only for its own hosts."""
    assert believed(asked, replied) is counts


@pytest.mark.parametrize(
    ("caller", "key", "may"),
    [
        ("api", "reply_api.ctl-1_0", True),
        ("manage", "reply_conductor.ctl-1_0", True),
        ("compute.host-1", "reply_compute.host-1_0", True),
        ("compute.host-1", "reply_api.ctl-1_0", False),
        ("compute.host-1", "reply_conductor.ctl-1_0", False),
        (None, "reply_compute.host-1_0", False),
        ("somebody", "reply_api.ctl-1_0", False),
    ],
)
def test_which_reply_queues_a_caller_may_name(caller: str | None, key: str, may: bool):
    """Neither a compute nor an unknown sender can have the conductor send a reply to the api."""
    assert replies.answerable(caller, key) is may


def test_without_a_database_only_the_controller_is_known():
    """A compute node trusts the controller's services by their names, and no other compute."""
    assert replies.controller("conductor") is not None
    assert replies.controller("compute.host-2") is None
    assert replies.controller(None) is None
