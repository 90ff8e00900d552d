"""pyproject.toml declares what mininova imports."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from documentation import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: What is imported only where it is installed, and what it belongs to.
OPTIONAL = ("databases", "otel")


def declared(*requirements: str) -> set[str]:
    """Give the names of distributions, as they are compared."""
    return {_normal(re.split(r"[^\w.-]", each)[0]) for each in requirements}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> Iterator[str]:
    """Give the top-level packages that the modules of mininova import, wherever in the module they do."""
    for path in ROOT.glob("mininova/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            yield from (name.partition(".")[0] for name in names)


def test_what_is_imported_is_declared():
    """Each package of another project that mininova imports is among its dependencies, or in one of its extras."""
    theirs = {*imported()} - sys.stdlib_module_names - {"mininova", "_typeshed"}
    known = declared(*PROJECT["dependencies"])
    for extra in OPTIONAL:
        known |= declared(*PROJECT["optional-dependencies"][extra])
    providers = packages_distributions()
    assert {name for name in theirs if not known & {_normal(each) for each in providers.get(name, [name])}} == set()
