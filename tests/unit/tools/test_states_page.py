"""The page about states has the whole table."""

import states_page

from mininova import states
from mininova.states import OPERATIONS


def test_every_operation_has_a_row():
    """Each operation is a row of the table, with its steps in their order."""
    page = states_page.page()
    for name, op in OPERATIONS.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert " → ".join(f"`{step}`" for step in op.passes) in row


def test_every_operation_has_its_arrows():
    """The diagram leads from each state in which an operation may start to its good and its bad end."""
    arrows = states_page.page().partition("```mermaid")[2].splitlines()
    for name, op in OPERATIONS.items():
        for start in op.starts:
            assert [
                arrow
                for arrow in arrows
                if f"{start} --> {states.finish(name, start).get('vm_state', start)}: " in arrow and name in arrow
            ]
            if op.fails not in (None, start):
                assert [arrow for arrow in arrows if f"{start} --> {op.fails}: " in arrow and f"{name} fails" in arrow]
