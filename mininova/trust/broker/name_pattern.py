"""One regular expression for many names: the rights of a broker user that stands for a thousand hosts.

RabbitMQ cannot use an expression that is too long, and then refuses everything.  So names are not put side by side, but
in a tree of their characters in which what begins or goes on alike is written once: a range of numbers becomes a few
characters, however long it is.
"""

import re
from collections.abc import Iterable
from typing import TypeAlias

_Tree: TypeAlias = dict[str, "_Tree"]

_END = ""  # in a tree: a name ends here
_NOTHING = "(?!)"  # matches no name, not even the empty one


def any_of(names: Iterable[str]) -> str:
    """Write an expression for each of these names, and for nothing else; it can stand beside others as it is."""
    tree: _Tree = {}
    for name in names:
        node = tree
        for character in name:
            node = node.setdefault(character, {})
        node[_END] = {}
    return _written(tree) if tree else _NOTHING


def _written(tree: _Tree) -> str:
    first_of: dict[str, str] = {}  # what follows → the characters that it follows
    for character, rest in tree.items():
        if character != _END:
            follows = _written(rest)
            first_of[follows] = first_of.get(follows, "") + re.escape(character)
    ways = [f"{_one_of(first)}{follows}" for follows, first in first_of.items()]
    if _END in tree:
        return f"({'|'.join(ways)})?" if ways else ""
    return ways[0] if len(ways) == 1 else f"({'|'.join(ways)})"


def _one_of(characters: str) -> str:
    """Write one of some characters, which are escaped."""
    return characters if len(characters.removeprefix("\\")) == 1 else f"[{characters}]"
