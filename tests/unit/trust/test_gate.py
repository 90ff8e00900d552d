"""The gate before a service: a closed table, asked with the identity that the broker vouches for."""

import pytest

from mininova import rpc
from mininova.compute import admission as compute
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.checks import admission as conductor
from mininova.conductor.rpcapi import ConductorAPI
from mininova.scheduler import admission as scheduler
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.trust import identities
from mininova.trust.gate import Gate, Rule

TABLES = {ComputeAPI: compute.RULES, ConductorAPI: conductor.RULES, SchedulerAPI: scheduler.RULES}
COMPUTES = {"compute.host-1": ("host-1",), "compute.rack": ("host-2", "host-3")}
CALLERS = ["api", "scheduler", "conductor", "manage", "flow", *COMPUTES]


class Things(rpc.Interface):
    """Something to ask."""

    topic, version = "things", "1.0"

    @rpc.call(since="1.0")
    def take(self, ctxt, name: str) -> None:
        """Take a thing."""

    @rpc.call(since="1.0")
    def unlisted(self, ctxt) -> None:
        """Something that the table has forgotten."""


RULES = {
    "take": Rule(
        frozenset({"api", "compute"}),
        lambda arguments: arguments["name"],
        (lambda identity, arguments: "" if arguments["name"] in identity.hosts else "it is not its own",),
    )
}


def identity_of(name):
    """Know the controller's services, and two computes."""
    return identities.of(name, lambda compute: COMPUTES.get(compute, ()))


def ask(caller, method="take", **arguments):
    """Ask the gate."""
    Gate(RULES, identity_of)(caller, Things.methods[method], {"name": "host-1", **arguments})


@pytest.mark.parametrize("caller", ["api", "compute.host-1"])
def test_who_is_in_the_table_passes(caller):
    """A kind that the table has for the method passes, a compute with its own only."""
    ask(caller)


@pytest.mark.parametrize(
    ("caller", "why"),
    [
        ("compute.rack", "it is not its own"),
        ("scheduler", "not for one of the kind scheduler"),
        ("compute.host-9", "nobody that is known"),
        ("guest", "nobody that is known"),
        (None, "a sender without a name may not take host-1: it is nobody"),
    ],
)
def test_everybody_else_is_forbidden(caller, why):
    """The error says who may not do what, with which thing, and why."""
    with pytest.raises(rpc.Forbidden, match=why) as refused:
        ask(caller)
    assert refused.value.details == {"caller": caller, "method": "take", "object": "host-1"}


def test_what_a_table_does_not_name_is_nobodys():
    """A method that was added and forgotten in the table is closed, not open."""
    with pytest.raises(rpc.Forbidden):
        ask("api", "unlisted")


def test_a_service_is_not_checked_as_a_compute_is():
    """What it says about hosts is for it to say."""
    ask("api", name="host-9")


@pytest.mark.parametrize("interface", TABLES)
def test_each_table_is_whole(interface):
    """A table names every method of its interface, and nothing else."""
    assert TABLES[interface].keys() == interface.methods.keys()


OF_OTHERS = {"build_instances", "identities_changed"}


@pytest.mark.parametrize(
    ("interface", "method", "admitted"),
    [
        (ConductorAPI, "build_instances", {"api"}),
        (ConductorAPI, "identities_changed", {"operator"}),
        *((ConductorAPI, each, {"compute"}) for each in sorted(conductor.RULES.keys() - OF_OTHERS)),
        (SchedulerAPI, "select_destinations", {"conductor"}),
        (ComputeAPI, "build_instance", {"api", "conductor", "operator"}),
        (ComputeAPI, "get_console_output", {"api", "conductor"}),
    ],
)
def test_who_may_do_what(interface, method, admitted):
    """The kinds of identity that may use a method, out of all that there are."""
    assert TABLES[interface][method].kinds == admitted


@pytest.mark.parametrize("module", [compute, scheduler])
def test_no_compute_passes_where_there_is_none_to_be_known(module):
    """A scheduler and a compute take nothing from any compute, whatever it is called."""
    interface = ComputeAPI if module is compute else SchedulerAPI
    for method in interface.methods.values():
        for caller in (*COMPUTES, "compute.conductor", "conductor.1", "api.ctl", "CONDUCTOR", "", None):
            with pytest.raises(rpc.Forbidden):
                module.gate()(caller, method, Anything())


class Anything(dict):
    """Arguments of every method."""

    def __missing__(self, name):
        return self

    def __getattr__(self, name):
        return self

    def __str__(self):
        return "anything"
