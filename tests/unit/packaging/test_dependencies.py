"""pyproject.toml declares what mininova imports."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from documentation import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: Packages that are imported only if installed, and the extra or distribution that they belong to.
OPTIONAL = ("databases", "otel", "pytest", "real")


def declared(*requirements: str) -> set[str]:
    """Give the names of distributions in a comparable form."""
    return {_normal(re.split(r"[^\w.-]", each)[0]) for each in requirements}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> Iterator[str]:
    """Give the top-level packages that mininova's modules import, anywhere in the module."""
    for path in ROOT.glob("mininova/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            yield from (name.partition(".")[0] for name in names)


def test_imported_packages_are_declared():
    """Each imported package of another project is among the dependencies, or in an extra."""
    theirs = {*imported()} - sys.stdlib_module_names - {"mininova", "_typeshed"}
    known = declared(*PROJECT["dependencies"])
    for extra in OPTIONAL:
        known |= declared(*PROJECT["optional-dependencies"][extra])
    providers = packages_distributions()
    assert {name for name in theirs if not known & {_normal(each) for each in providers.get(name, [name])}} == set()
