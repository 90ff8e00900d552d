"""The source of the method that handles a message."""

import pytest

from mininova.web.handlers import MANAGERS, handler


@pytest.mark.parametrize("interface", MANAGERS)
def test_every_declared_method_has_a_handler(interface: str):
    """Each method of an interface is found in its manager, whole, and with words."""
    assert MANAGERS[interface].interface.methods
    for name in MANAGERS[interface].interface.methods:
        shown = handler(interface, name)
        assert shown["source"].lstrip().startswith(f"def {name}(")
        assert shown["doc"]


def test_a_message_leads_to_its_handler(asked):
    """The cast that begins a boot links to the source of the method that takes it."""
    shown = asked.json("/api/requests/req-11111111-2222-3333-4444-555555555555")
    http, cast = shown["messages"][:2]
    assert http["handler"] is None
    assert asked.json(cast["handler"])["name"] == "ConductorManager.build_instances"


@pytest.mark.parametrize(
    "path", ["conductor/__init__", "conductor/own", "conductor/no_such", "compute/_carry_out", "db/session", "x/y"]
)
def test_what_no_interface_declares_is_not_shown(asked, path: str):
    """No other function of the program can be read, whatever a message calls itself."""
    asked.json(f"/api/handlers/{path}", 404)
