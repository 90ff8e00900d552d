"""Whom each of our processes trusts, and what is confined."""

import pytest

from mininova import rpc
from mininova.conductor.checks.arguments import CHECKS
from mininova.conductor.rpcapi import ConductorAPI
from mininova.trust.directory import Directory
from mininova.trust.identities import compute
from mininova.trust.processes import trust


@pytest.fixture
def directory() -> Directory:
    """Know one compute, which stands for two hosts."""
    return Directory(lambda patience: [compute("rack", ["host-1", "host-2"])])


def test_where_identities_are_not_enforced_everybody_is_trusted():
    """A compute alone serves nothing but its own hosts, as ever."""
    assert trust("api", enforce=False) == rpc.Trust()
    assert trust("compute", enforce=False) == rpc.Trust(alone=True)


@pytest.mark.parametrize(
    ("service", "confined"), [("api", False), ("scheduler", False), ("conductor", False), ("compute", True)]
)
def test_a_compute_is_confined(service, confined):
    """It sends by its lane, and serves its hosts alone; the services of the controller do neither."""
    trusted = trust(service)
    assert (trusted.confined, trusted.alone) == (confined, confined)


def test_without_a_directory_no_compute_is_known():
    """Neither its calls nor its replies count, and no lane is read."""
    trusted = trust("scheduler")
    assert trusted.answers("conductor", "conductor")
    assert not trusted.answers("compute.host-1", "compute.rack")
    assert trusted.lane_of("compute.host-1") is None


def test_with_a_directory_computes_are_known(directory):
    """Their replies count, and come by their lane; what they call is checked."""
    trusted = trust("conductor", directory=directory, checks=CHECKS)
    assert trusted.answers("compute.host-2", "compute.rack")
    assert not trusted.answers("compute.host-3", "compute.rack")
    assert trusted.lane_of("compute.host-1") == "compute.rack"
    trusted.gate("compute.rack", ConductorAPI.methods["get_instances"], {"host": "host-2"})
    with pytest.raises(rpc.Forbidden, match="does not stand for the host host-3"):
        trusted.gate("compute.rack", ConductorAPI.methods["get_instances"], {"host": "host-3"})


def test_replies_go_where_the_caller_reads():
    """A server writes to the reply queue of its caller, and to no other's."""
    trusted = trust("conductor")
    assert trusted.answerable is not None
    assert trusted.answerable("compute.rack", "reply_compute.rack_0f")
    assert not trusted.answerable("compute.rack", "reply_compute.other_0f")


def test_only_the_operators_tool_passes_messages_on():
    """The conductor and the scheduler take its word for who sent a parked message first; a compute takes no one's."""
    assert {name: trust(name).relays for name in ("conductor", "scheduler", "compute", "api")} == {
        "conductor": {"manage"},
        "scheduler": {"manage"},
        "compute": set(),
        "api": set(),
    }
