"""Doing what a compute may."""

import pytest


@pytest.mark.attack(refused_by="nobody", sees="its instances: name, project, flavor, addresses, metadata; no secret")
def test_read_its_own(attacker, refused, mine):
    """Reads its own instances, and of them what a hypervisor needs."""
    uuid = mine["versioned_object.data"]["uuid"]
    assert attacker.ask("get_instance", {"uuid": uuid}).result["versioned_object.data"]["uuid"] == uuid
    refused.seen.add("nobody")


@pytest.mark.attack(refused_by="nobody", sees="which versions the services speak")
def test_read_versions(attacker, refused):
    """Asks which versions all services speak."""
    assert attacker.ask("get_levels", {}).failure is None
    refused.seen.add("nobody")


@pytest.mark.attack(refused_by="nobody", sees="the user's console shows what it likes")
def test_lie_about_a_console(attacker, refused, console):
    """Makes up the console of its own server."""
    _, seen = console.asked_of_mine(lambda call: console.honestly(call, "all is well, says the attacker"))
    assert seen == "all is well, says the attacker"
    refused.seen.add("nobody")
