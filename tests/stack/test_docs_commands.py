"""The commands in the documentation work on a real stack, and print what the page shows."""

import documentation
import pytest
from documentation import PAGES, ROOT
from tutorial import TUTORIALS

pages = [page for page in PAGES if page not in TUTORIALS and documentation.commands(page)]


@pytest.mark.parametrize("page", pages, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page(page, local_stack):
    """Each command of a page succeeds, in order, in a shell that has sourced openrc."""
    for command in documentation.commands(page):
        done = local_stack.typed(command.text.replace(".stack/", f"{local_stack.home.root}/"))
        assert done.returncode == 0, f"{command}: {command.text}\n{done.stdout}{done.stderr}"
        assert documentation.missing(command.output, done.stdout) == [], f"{command}: {command.text}\n{done.stdout}"


def test_readme_shows_the_flow_that_a_start_prints(local_stack):
    """Every message of the first boot that the README shows is one that tools/stack.sh prints."""
    shown = next(
        text for _, text in documentation.blocks(ROOT / "README.md", "text") if "The flow of that boot" in text
    )
    messages = [line for line in shown.splitlines() if "→" in line]
    assert len(messages) > 12
    assert documentation.missing(messages, local_stack.first_output) == []
