"""The gate of our services: the declarations, with the identities that the broker vouches for."""

import pytest

from mininova import rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.checks.arguments import CHECKS
from mininova.conductor.rpcapi import ConductorAPI
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.trust import identities
from mininova.trust.gate import about, gate
from mininova.trust.processes import trust

COMPUTES = {"compute.host-1": ("host-1",), "compute.rack": ("host-2", "host-3")}
KINDS = {*identities.KINDS.values(), identities.COMPUTE}


class Things(rpc.Interface):
    """Something to ask."""

    topic, version = "things", "1.0"

    @rpc.call(since="1.0", by={"api", "compute"})
    def take(self, ctxt, host: str) -> None:
        """Take a thing."""

    @rpc.call(since="1.0", by={"api", "compute"})
    def unchecked(self, ctxt, host: str) -> None:
        """A method that the table of checks lacks."""


def identity_of(name):
    """Give the identities of the controller's services, and of two computes."""
    return identities.of(name, lambda compute: COMPUTES.get(compute, ()))


def own(identity, arguments):
    """Say why a host is not the caller's."""
    return "" if arguments["host"] in identity.hosts else "it is not its own"


def ask(caller, method="take", host="host-1"):
    """Ask a gate with a check of what a compute sends."""
    gate(identity_of, {"take": [own]})(caller, Things.methods[method], {"host": host})


def test_a_compute_passes_with_its_own():
    """It passes when the checks of the method allow what it sends."""
    ask("compute.host-1")


@pytest.mark.parametrize(
    ("caller", "why"),
    [
        ("compute.rack", "may not take host host-1: it is not its own"),
        ("scheduler", "only api and compute may, and it is of the kind scheduler"),
        ("compute.host-9", "its identity is not known here"),
        ("guest", "its identity is not known here"),
        (None, "a sender without a name may not take host host-1"),
    ],
)
def test_all_other_senders_are_forbidden(caller, why):
    """The error says which sender may not do what, to which host, and why."""
    with pytest.raises(rpc.Forbidden, match=why) as refused:
        ask(caller)
    assert refused.value.details == {"caller": caller, "method": "take", "object": "host host-1"}


def test_a_method_without_checks_is_for_no_compute():
    """A method that computes may call but that has no checks is closed to them."""
    with pytest.raises(rpc.Forbidden, match="no check"):
        ask("compute.host-1", "unchecked")
    ask("api", "unchecked")


def test_a_service_is_not_checked_as_a_compute_is():
    """A service may name any host."""
    ask("api", host="host-9")


def test_the_conductors_checks_are_whole():
    """The table has exactly the methods that a compute may call."""
    assert CHECKS.keys() == {name for name, method in ConductorAPI.methods.items() if "compute" in method.by}


@pytest.mark.parametrize("interface", [ComputeAPI, ConductorAPI, SchedulerAPI])
def test_every_method_says_who_may_call_it(interface):
    """Each declaration names existing kinds; a typing error would close a method."""
    for method in interface.methods.values():
        assert method.by
        assert method.by <= KINDS


@pytest.mark.parametrize("interface", [ComputeAPI, SchedulerAPI])
def test_no_compute_passes_without_a_directory(interface):
    """A scheduler and a compute refuse every compute, by any name."""
    for method in interface.methods.values():
        for caller in (*COMPUTES, "compute.conductor", "conductor.1", "api.ctl", "CONDUCTOR", "", None):
            with pytest.raises(rpc.Forbidden):
                trust(interface.topic).gate(caller, method, {})


@pytest.mark.parametrize("interface", [ComputeAPI, ConductorAPI, SchedulerAPI])
def test_every_denial_names_what_it_is_about(interface):
    """Each method with arguments has one by which a denial can name an instance or a host."""
    for method in interface.methods.values():
        names = [parameter.name for parameter in method.parameters]
        assert not names or about(dict.fromkeys(names, Named())) != ""


class Named(str):
    """A stand-in for an instance, a service, or a list of them: it has the attributes that name them."""

    uuid = host = instance_uuid = "named"

    def __new__(cls):
        return super().__new__(cls, "n")

    def __iter__(self):
        yield self
