"""Signs of life: they tell a caller that its call is worked on, if the caller asked for them (oslo.messaging's call
monitor).  server.py sends them while a handler runs.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from mininova.rpc import envelope
from mininova.rpc.envelope import Reply, Request
from mininova.rpc.errors import RPCError

_SHORTEST_INTERVAL = 0.5  # seconds between two of them, even if the caller asks for more


def of_life(request: Request, answer: Callable[[bytes], None]) -> AbstractContextManager[None]:
    """While the block runs, send two signs in each span in which the caller wants one; most callers want none.

    :param answer: sends a reply to the caller
    """
    if request.msg_id is None or not request.sign_within:
        return nullcontext()
    return _repeated(request.msg_id, request.sign_within, answer)


@contextmanager
def _repeated(msg_id: str, within: float, answer: Callable[[bytes], None]) -> Iterator[None]:
    sign = envelope.pack_reply(Reply(msg_id=msg_id, ending=False))
    interval = min(max(within / 2, _SHORTEST_INTERVAL), threading.TIMEOUT_MAX)
    done = threading.Event()

    def repeat() -> None:
        while not done.wait(interval):
            with suppress(RPCError):  # a broker that is away may be back for the next one
                answer(sign)

    threading.Thread(target=repeat, name="signs-of-life", daemon=True).start()
    try:
        yield
    finally:
        done.set()
