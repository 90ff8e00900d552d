"""Which role includes which: one chain, as Keystone's own bootstrap makes it.

Bootstrap creates these roles; a token lists its roles and those that they imply.
"""

from collections.abc import Iterable

ADMIN, MANAGER, MEMBER, READER, SERVICE = "admin", "manager", "member", "reader", "service"
ALL = (ADMIN, MANAGER, MEMBER, READER, SERVICE)

IMPLIES = {ADMIN: MANAGER, MANAGER: MEMBER, MEMBER: READER}


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Add to some roles those that they imply; the order is kept, each comes once."""
    expanded: dict[str, None] = {}
    for name in names:
        implied: str | None = name
        while implied is not None:
            expanded[implied] = None
            implied = IMPLIES.get(implied)
    return tuple(expanded)
