"""What the documentation says that can be checked: links, names in the code, commands, the map of the source.

tests/docs checks what needs no running cloud, tests/stack runs the commands; tutorial.py is for pages that are
followed from the first line to the last.  The code is only read, as text: importing some of it (mininova.cmd) would
change the process.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])

FENCE = re.compile(r"^(```+)(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


# ---- pages


def prose(page: Path) -> str:
    """Give a page without its blocks of code, the lines kept in their places."""
    return FENCE.sub(lambda block: "\n" * block[0].count("\n"), page.read_text())


def links(page: Path) -> list[str]:
    """Give the targets of a page's links."""
    return _LINK.findall(prose(page))


def spans(page: Path) -> list[str]:
    """Give what a page has in backticks."""
    return _SPAN.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose(page)))
    return {heading.strip().replace(" ", "-") for heading in headings}


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """Give the blocks of code in a language: the number of the first line, and the text."""
    text = page.read_text()
    for block in FENCE.finditer(text):
        if block[2] == language:
            yield text.count("\n", 0, block.start()) + 2, block[3]


# ---- commands


@dataclass(frozen=True)
class Command:
    """A command that a page shows, to be run as it stands.

    :param line: where it is in the page
    :param output: what the page says that it prints
    """

    page: Path
    line: int
    text: str
    output: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def commands(page: Path) -> list[Command]:
    """Give the commands of a page: in its ``console`` blocks, what follows a ``$``, up to the next one."""
    found = []
    for first, block in blocks(page, "console"):
        for number, line in enumerate(block.splitlines(), first):
            if line.startswith("$ "):
                found.append(Command(page, number, line[2:], ()))
            elif found and found[-1].text.endswith("\\") and not found[-1].output:
                last = found.pop()
                found.append(Command(page, last.line, f"{last.text}\n{line}", ()))
            else:
                last = found.pop()
                found.append(Command(page, last.line, last.text, (*last.output, line)))
    return found


def missing(promised: Iterable[str], printed: str) -> list[str]:
    """Give the lines that a page promises and a command did not print, in any order.

    What differs from run to run (ids, times, addresses, the width of columns, how many hosts there are) is not
    compared; a line ``…`` stands for any number of lines.
    """
    shapes = {_shape(line) for line in printed.splitlines()} | {"", "…"}
    return [line for line in promised if _shape(line) not in shapes]


def _shape(line: str) -> str:
    """Leave of a line what is the same in each run."""
    line = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{8}…", "uuid", line)
    line = re.sub(r"\d+", "0", re.sub(r"-{2,}", "--", line))
    line = re.sub(r"([\w-]+)(, \1)+", r"\1", line)
    return re.sub(r"\s+", " ", line).strip()


# ---- the map of the source


def boot_map() -> list[str]:
    """Give the files of the README's first map, the boot, in its order."""
    return _mapped("The boot in twelve files")


def beneath_map() -> list[str]:
    """Give the files and folders of the README's second map, a folder with a slash at its end."""
    return [path if (ROOT / path).is_file() else f"{path}/" for path in _mapped("Beneath it")]


def _mapped(heading: str) -> list[str]:
    """Give the targets of the links that the rows of a section begin with."""
    (section,) = re.findall(rf"^## {heading}$(.*?)^## ", _readme(), re.MULTILINE | re.DOTALL)
    cells = re.findall(r"^\| (\[.*?) \|", section, re.MULTILINE)
    return [target for cell in cells for target in _LINK.findall(cell)]


def _readme() -> str:
    return (ROOT / "README.md").read_text()


# ---- names in the code


@dataclass(frozen=True)
class Module:
    """What a module defines.

    :param names: at its top, whether defined or imported
    :param members: class → what it and, as far as this module shows, its bases define
    """

    names: frozenset[str]
    members: dict[str, frozenset[str]]


@cache
def modules() -> dict[str, Module]:
    """Read every module of the package and of the examples: dotted name → what it defines."""
    found = {}
    for path in sorted([*ROOT.glob("mininova/**/*.py"), *ROOT.glob("examples/**/*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = _read(path)
    return found


def exists(dotted: str) -> bool:
    """Tell whether a dotted name, ``mininova.x.y``, is a module or something in one."""
    module = dotted
    while module not in modules() and "." in module:
        module = module.rpartition(".")[0]
    if module not in modules():
        return False
    rest = dotted.removeprefix(module).strip(".").split(".")
    return rest == [""] or _has(modules()[module], rest)


def known_by_short_name(name: str) -> bool | None:
    """Tell whether ``module.name`` or ``Class.name`` is there; None when no module or class is called so."""
    first, *rest = name.split(".")
    owners = [module for dotted, module in modules().items() if dotted.rpartition(".")[2] == first]
    classes = [module for module in modules().values() if first in module.members]
    if not owners and not classes:
        return None
    return any(_has(owner, rest) for owner in owners) or any(_has(module, [first, *rest]) for module in classes)


def _has(module: Module, names: list[str]) -> bool:
    if names[0] in module.members and len(names) > 1:
        return names[1] in _members(names[0], module)
    return names[0] in module.names and len(names) == 1


def _members(name: str, module: Module) -> frozenset[str]:
    """Give the members of a class, those of its bases in other modules included."""
    own = module.members[name]
    bases = {base.removeprefix("base:") for base in own if base.startswith("base:")} - {name}
    homes = [(base, other) for base in bases for other in modules().values() if base in other.members]
    return own.union(*(_members(base, other) for base, other in homes))


def _read(path: Path) -> Module:
    tree = ast.parse(path.read_text())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    members = {name: frozenset({*_defined(node), *_bases(node)}) for name, node in classes.items()}
    return Module(frozenset(_defined(tree)), members)


def _bases(node: ast.ClassDef) -> Iterator[str]:
    for base in node.bases:
        yield f"base:{ast.unparse(base).rpartition('.')[2].partition('[')[0]}"


def _defined(node: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Name what a module or a class defines, and what its methods set on ``self``."""
    for child in node.body:
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            yield child.name
        elif isinstance(child, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name) for alias in child.names)
        elif isinstance(child, (ast.Assign, ast.AnnAssign)):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
    if isinstance(node, ast.ClassDef):
        for attribute in ast.walk(node):
            if isinstance(attribute, ast.Attribute) and isinstance(attribute.ctx, ast.Store):
                yield attribute.attr
