"""Doing what a compute may."""

import pytest


@pytest.mark.sees("its instances: name, project, flavor, addresses, metadata; no secret")
def test_read_its_own(attacker, observe, mine):
    """Reads its own instances, and of them what a hypervisor needs."""
    uuid = mine["versioned_object.data"]["uuid"]
    with observe():
        answer = attacker.ask("get_instance", {"uuid": uuid})
    assert answer.result["versioned_object.data"]["uuid"] == uuid


@pytest.mark.sees("which versions the services speak")
def test_read_versions(attacker, observe):
    """Asks which versions all services speak."""
    with observe():
        attacker.ask("get_levels", {})
