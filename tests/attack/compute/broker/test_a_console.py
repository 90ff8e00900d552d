"""Answering what it was asked."""

import pytest


@pytest.mark.sees("the user's console shows what it likes")
def test_lie_about_a_console(attacker, observe, console):
    """Makes up the console of its own server."""
    _, seen = console.asked_of_mine(lambda call: console.honestly(call, "all is well, says the attacker"))
    assert seen == "all is well, says the attacker"
    observe.shown(seen)
