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


def imported(where: str = "mininova") -> Iterator[str]:
    """Give the top-level packages that the modules of a package import, anywhere in the module."""
    for path in ROOT.glob(f"{where}/**/*.py"):
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


def test_what_pages_say_to_install_is_there():
    """Each extra that a page names is declared; pip would install mininova without it, and only warn."""
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
    named = {name for page in pages for name in re.findall(r"mininova\[(\w+)\]", page.read_text())}
    assert named
    assert named <= PROJECT["optional-dependencies"].keys()


def test_the_library_alone_declares_what_it_imports():
    """packaging/rpc has all that mininova/rpc imports, in the very ranges of the whole."""
    library = tomllib.loads((ROOT / "packaging/rpc/pyproject.toml").read_text())["project"]
    extras = library["optional-dependencies"]
    known = [*library["dependencies"], *(each for extra in extras.values() for each in extra)]
    assert {*library["dependencies"], *extras["metrics"]} <= {*PROJECT["dependencies"]}
    assert all({*extras[extra]} == {*PROJECT["optional-dependencies"][extra]} for extra in ("otel", "redis"))
    theirs = {*imported("mininova/rpc")} - sys.stdlib_module_names - {"mininova", "_typeshed"}
    providers = packages_distributions()
    assert {
        name for name in theirs if not declared(*known) & {_normal(it) for it in providers.get(name, [name])}
    } == set()
