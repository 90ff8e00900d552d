"""The commands: argv, settings, real parts, run.  The only impure corner.

eventlet's monkey patch is here and nowhere else, before anything that could use what it replaces; with
``MININOVA_CONCURRENCY=threads`` there is none (docs/adr/0013).
"""

import atexit
import gc
import os
import sys
import warnings
from types import TracebackType
from typing import NoReturn


def _say(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """Say nothing of a Ctrl-C that comes while a command imports; one that works ends by itself (arguments.py)."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, where)


sys.excepthook = _say

from mininova.service import concurrency  # noqa: E402 - it may be interrupted

#: The Pythons that eventlet supports, and we with it.  On a later one its monkey patch fails in odd places.
OLDEST, NEWEST = (3, 11), (3, 14)

# What a command imports stays until it ends.  To look for garbage in it meanwhile takes an eighth of the time of the
# imports, and to look for it at the end up to a quarter of a short command's.
gc.disable()
atexit.register(gc.freeze)


def imported() -> None:
    """Look for garbage from now on, and only in what is made from now on."""
    gc.freeze()
    gc.enable()


def _refuse(problem: object) -> NoReturn:
    from mininova.flow.output import complain  # not before the patch below, if there is to be one

    complain(f"{os.path.basename(sys.argv[0]) or 'mininova'}: {problem}")
    sys.exit(2)


if not OLDEST <= sys.version_info[:2] <= NEWEST:
    found, oldest, newest = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST, NEWEST))
    _refuse(f"Python {found} will not do: use one from {oldest} to {newest}, as eventlet does")

try:
    _chosen = concurrency.chosen()
except ValueError as error:
    _refuse(error)

if _chosen == concurrency.EVENTLET:
    # A resolver of eventlet's own costs each process a fifth of a second at its start, to look up one broker.
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    # psycopg's usual way to wait for PostgreSQL, in C, would stop all green threads while one of them asks.
    os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_select")
    # The user of a command need not read that eventlet is deprecated: docs/adr/0013 knows it.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

    import eventlet

    eventlet.monkey_patch()
