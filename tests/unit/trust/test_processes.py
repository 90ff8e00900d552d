"""Which senders each of our processes trusts, and which processes are confined."""

import pytest

from mininova import rpc
from mininova.conductor.checks.arguments import CHECKS
from mininova.conductor.rpcapi import ConductorAPI
from mininova.trust.directory import Directory
from mininova.trust.identities import compute
from mininova.trust.processes import trust


@pytest.fixture
def directory() -> Directory:
    """Know one compute, which acts for two hosts."""
    return Directory(lambda patience: [compute("rack", ["host-1", "host-2"])])


def test_without_enforced_identities_every_sender_is_trusted():
    """Without enforcement every sender is trusted; a compute still serves only its own hosts' queues."""
    assert trust("api", enforce=False) == rpc.Trust()
    assert trust("compute", enforce=False) == rpc.Trust(alone=True)


@pytest.mark.parametrize(
    ("service", "confined"), [("api", False), ("scheduler", False), ("conductor", False), ("compute", True)]
)
def test_a_compute_is_confined(service, confined):
    """It sends by its lane, and serves its hosts alone; the controller's services do neither."""
    trusted = trust(service)
    assert (trusted.confined, trusted.alone) == (confined, confined)


def test_without_a_directory_no_compute_is_known():
    """A process without a directory ignores computes' calls and replies, and reads no lane."""
    trusted = trust("scheduler")
    assert trusted.answers("conductor", "conductor")
    assert not trusted.answers("compute.host-1", "compute.rack")
    assert trusted.lane_of("compute.host-1") is None


def test_with_a_directory_computes_are_known(directory):
    """Their replies count, and come by their lane; their calls are checked."""
    trusted = trust("conductor", directory=directory, checks=CHECKS)
    assert trusted.answers("compute.host-2", "compute.rack")
    assert not trusted.answers("compute.host-3", "compute.rack")
    assert trusted.lane_of("compute.host-1") == "compute.rack"
    trusted.gate("compute.rack", ConductorAPI.methods["get_instances"], {"host": "host-2"})
    with pytest.raises(rpc.Forbidden, match="does not stand for the host host-3"):
        trusted.gate("compute.rack", ConductorAPI.methods["get_instances"], {"host": "host-3"})


def test_replies_go_where_the_caller_reads():
    """A server writes only to its caller's own reply queue."""
    trusted = trust("conductor")
    assert trusted.answerable is not None
    assert trusted.answerable("compute.rack", "reply_compute.rack_0f")
    assert not trusted.answerable("compute.rack", "reply_compute.other_0f")


def test_only_the_operators_tool_may_relay():
    """The conductor and the scheduler trust it with a parked message's first sender; a compute trusts no sender with
    that.
    """
    assert {name: trust(name).relays for name in ("conductor", "scheduler", "compute", "api")} == {
        "conductor": {"manage"},
        "scheduler": {"manage"},
        "compute": set(),
        "api": set(),
    }
