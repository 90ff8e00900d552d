"""Lists of instances that a compute reads from a conductor page by page, for a message has 1 MiB at most.

How many instances fit depends on what their owners wrote into them.  So a page that does not fit is asked for again
with half as many, which most hosts never need.
"""

from collections.abc import Callable, Sequence

from mininova import rpc
from mininova.objects import Instance

PAGE = 200  # instances; with what most owners write, less than half of what fits

#: Called with the uuid after which a page begins, and how many instances it may have at most.
Ask = Callable[[str, int], Sequence[Instance]]


def read(ask: Ask) -> list[Instance]:
    """Read all pages.

    :raises rpc.MessageTooLong: when one instance alone does not fit
    """
    found, limit = list[Instance](), PAGE
    while True:
        try:
            page = ask(found[-1].uuid if found else "", limit)
        except rpc.MessageTooLong:
            if limit == 1:
                raise
            limit //= 2
            continue
        found.extend(page)
        if len(page) < limit:
            return found
