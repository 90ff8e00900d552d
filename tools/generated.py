"""What is printed from the code instead of written by hand: each file, and what prints it.

``tools/update`` writes them, ``tools/verify`` compares, and a unit test does as verify does.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import coverage_page
import reference_page
import scheduling_page
import security_page
import states_page

from mininova.conf import sample

ROOT = Path(__file__).resolve().parent.parent

GENERATED: dict[str, Callable[[], str]] = {
    "etc/mininova/mininova.conf.sample": sample.controller,
    "etc/mininova/mininova-compute.conf.sample": sample.compute,
    "docs/states.md": states_page.page,
    "docs/api-coverage.md": coverage_page.page,
    "docs/rpc/reference.md": reference_page.page,
    "docs/security.md": security_page.page,
    "docs/scheduling.md": scheduling_page.page,
}


def stale() -> Iterator[tuple[Path, str, str]]:
    """Give each file that is not as the code would print it: where it is, what it says, what it should say."""
    for name, generate in GENERATED.items():
        path, wanted = ROOT / name, generate()
        found = path.read_text() if path.exists() else ""
        if found != wanted:
            yield path, found, wanted
