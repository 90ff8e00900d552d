"""Log lines: the time, the level, the module, the request, the host, and what happened.

A reader should follow a boot from the logs alone, so every line of a handler carries the id of the request that
it works for; and a compute may stand for many hosts, so each line about one of them names it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova.rpc.watch.sparing import Sparing

_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)s %(name)s [%(about)s] %(message)s"

# Characters that would begin a new line, move the cursor or turn the text around, and halves of characters, which no
# file takes: how they are written instead.
_CODES = (*range(32), *range(127, 160), *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_CONTROL = {code: repr(chr(code))[1:-1] for code in (*_CODES, *range(0xD800, 0xE000)) if chr(code) != "\t"}

_request_id: ContextVar[str] = ContextVar("request_id", default="-")
_host: ContextVar[str] = ContextVar("host", default="")


def working_for(request_id: str) -> None:
    """Have this thread's lines carry a request id from here on."""
    _request_id.set(request_id)


@contextmanager
def on_host(host: str) -> Iterator[None]:
    """Have this thread's lines name a host: in a block or, as a decorator, in a function."""
    token = _host.set(host)
    try:
        yield
    finally:
        _host.reset(token)


class _AddWhatItIsAbout(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id of the request to a line, and the host if there is one."""
        record.about = f"{_request_id.get()} {_host.get()}".rstrip()
        return True


class _OneLine(logging.Formatter):
    """Keeps a record on one line, so that a text of others, such as a fault's message, cannot forge lines of ours."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging calls it so
        """Write the line."""
        return super().formatMessage(record).translate(_CONTROL)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging calls it so
        """Write the traceback that follows, on lines of its own: each begins as no line of ours does."""
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {line.translate(_CONTROL)}" for line in lines)


def setup(conf: ConfigOpts) -> None:
    """Send the process's log lines where its settings say.

    :raises OSError: when the log file cannot be written
    """
    handler = logging.StreamHandler() if conf.log_file is None else logging.FileHandler(Path(conf.log_file))
    handler.setFormatter(_OneLine(_FORMAT, datefmt="%Y-%m-%d %H:%M:%S"))
    handler.addFilter(_AddWhatItIsAbout())
    handler.addFilter(Sparing())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if conf.debug else logging.INFO)
    for chatty in ("amqp", "kombu", "alembic", "sqlalchemy", "oslo_policy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
