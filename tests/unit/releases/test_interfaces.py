"""The RPC interfaces change only with their versions, and a minor only adds."""

import pytest

from mininova.rpc import Version
from tests.fixtures.fingerprints import explain, interfaces, keep, kept, of_interface

INTERFACES = interfaces()
METHODS = [(interface, method) for interface in INTERFACES.values() for method in interface.methods.values()]
ids = [f"{interface.__name__}.{method.name}" for interface, method in METHODS]


@pytest.mark.parametrize("name", INTERFACES)
def test_an_interface_changes_only_with_its_version(name: str, request: pytest.FixtureRequest):
    """A method, an argument or a default that changed without its version would break older peers silently."""
    now = of_interface(INTERFACES[name])
    if request.config.getoption("--rewrite"):
        keep("interfaces", name, now)
    before = kept()["interfaces"].get(name)
    assert now == before, explain(name, before, now)


def test_no_interface_is_forgotten():
    """The file has each interface, and no removed one."""
    assert set(kept()["interfaces"]) == set(INTERFACES)
    assert {"ComputeAPI", "ConductorAPI", "SchedulerAPI"} <= set(INTERFACES)


@pytest.mark.parametrize(("interface", "method"), METHODS, ids=ids)
def test_a_later_argument_can_be_left_out(interface, method):
    """No method is newer than its interface, and an argument newer than its method has a default."""
    ours = Version.parse(interface.version)
    assert ours.accepts(method.since)
    for argument in method.parameters:
        came = method.argument_since.get(argument.name, method.since)
        assert ours.accepts(came)
        assert came <= method.since or argument.default is not argument.empty, argument.name


@pytest.mark.parametrize(("interface", "method"), METHODS, ids=ids)
def test_a_method_says_what_it_does(interface, method):
    """The reference page shows these sentences."""
    assert method.doc.partition("\n")[0].endswith(".")
