"""Signs of life: what tells a caller that its call is worked on, where the caller wants to know (oslo.messaging's call
monitor).  server.py gives them while a handler runs.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from mininova.rpc import envelope
from mininova.rpc.envelope import Reply, Request
from mininova.rpc.errors import RPCError

_SHORTEST_INTERVAL = 0.5  # seconds between two of them, whatever the caller asks for


@contextmanager
def of_life(request: Request, answer: Callable[[bytes], None]) -> Iterator[None]:
    """While the block runs, give a sign twice in each span in which the caller wants one; often it wants none.

    :param answer: sends a reply to the caller
    """
    if request.msg_id is None or not request.sign_within:
        yield
        return
    sign = envelope.pack_reply(Reply(msg_id=request.msg_id, ending=False))
    interval = min(max(request.sign_within / 2, _SHORTEST_INTERVAL), threading.TIMEOUT_MAX)
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
