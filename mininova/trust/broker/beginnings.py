"""What a right allows, for a broker that knows no regular expressions: names, and beginnings of names.

Qpid compares a name as it is, or up to a ``*`` at the end of a rule.  So an expression is followed from its beginning
for as long as it says which characters come, and what it says beyond that is given up: a beginning allows at least what
the expression does.  ``docs/rpc/brokers.md`` lists where it allows more.
"""

from collections.abc import Iterable

ANY = "*"  # at the end: goes on in any way


def beginnings(expression: str) -> frozenset[str]:
    """Give the names that an expression of rights.py allows; one that ends with ``*`` stands for all that begin so."""
    return frozenset(_Expression(expression.removeprefix("^").removesuffix("$")).alternatives())


class _Expression:
    """Follows an expression: as much of the language as rights.py and name_pattern.py write."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def alternatives(self) -> set[str]:
        """Read what stands between parentheses, or all of it."""
        found = self._sequence()
        while self._takes("|"):
            found |= self._sequence()
        return found

    def _sequence(self) -> set[str]:
        found = {""}
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            found = _after(found, self._piece())
        return found

    def _piece(self) -> set[str]:
        piece = self._atom()
        if self._takes("?"):
            return piece | {""}
        if self._at < len(self._text) and self._text[self._at] in "+*{":  # how often: from here on it is open
            self._at = self._text.index("}", self._at) + 1 if self._text[self._at] == "{" else self._at + 1
            return {ANY}
        return piece

    def _atom(self) -> set[str]:
        if self._takes("(?!"):  # not what follows: it allows nothing, or takes a little from what is open anyhow
            refused = self.alternatives()
            self._at += 1
            return set() if refused == {""} else {""}
        if self._takes("("):
            found = self.alternatives()
            self._at += 1
            return found
        if self._takes("["):
            return self._one_of()
        return {ANY} if self._takes(".") else {self._character()}

    def _one_of(self) -> set[str]:
        found = set[str]()
        while not self._takes("]"):
            found.add(ANY if self._takes("-") else self._character())
        return {ANY} if ANY in found else found

    def _character(self) -> str:
        self._takes("\\")
        self._at += 1
        return self._text[self._at - 1]

    def _takes(self, word: str) -> bool:
        found = self._text.startswith(word, self._at)
        self._at += len(word) * found
        return found


def _after(begun: Iterable[str], pieces: Iterable[str]) -> set[str]:
    """Put each piece after each beginning that is not open yet."""
    pieces = set(pieces)
    if not pieces:
        return set()
    return {text if text.endswith(ANY) else text + piece for text in begun for piece in pieces}
