"""One process of benchmarks/rpc.py: the client or the server of one library, which obeys orders.

    rpc_peers.py LIBRARY client|server URL FD

Orders come as JSON lines on the socket FD and are answered there.  A client makes calls or casts for some seconds; a
server tells what it has used and handled.
"""

import json
import os
import resource
import socket
import sys
import time
from typing import Any

GREEN = ("oslo, eventlet", "nameko", "kombu, green", "ours, green", "ours, unsafe casts")

if sys.argv[1:2] and sys.argv[1] in GREEN:
    import mininova.cmd  # eventlet's monkey patch as our services have it, before anything else

    mininova.cmd.imported()


def cpu_seconds() -> float:
    """Give the CPU seconds, of user and system, that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def obey_client(client: Any, kind: str, in_flight: int, size: int, seconds: float) -> dict[str, Any]:
    """Make calls or casts for some seconds, and give how long each caller waited."""
    load = getattr(client, kind)
    before = cpu_seconds()
    began, waits = load(in_flight, "x" * size, seconds)
    took = time.monotonic() - began
    return {"began": began, "seconds": took, "waits": waits, "cpu": cpu_seconds() - before}


def obey_server(tally: Any, casts: int) -> dict[str, Any]:
    """Wait until a number of casts have been handled in all, and give the time of the last one."""
    tally.wait(casts)
    return {"cpu": cpu_seconds(), "last": tally.last}


def main() -> None:
    """Start the library's end and obey until the socket closes."""
    from rpc_libraries import LIBRARIES, Tally

    name, role, url, control = sys.argv[1:]
    library, tally = LIBRARIES[name], Tally()
    subject = library.client(url) if role == "client" else tally
    if role == "server":
        library.serve(url, tally)
    with socket.socket(fileno=int(control)) as talk, talk.makefile("rw") as lines:
        print(json.dumps("ready"), file=lines, flush=True)
        for line in lines:
            answer = (obey_client if role == "client" else obey_server)(subject, *json.loads(line))
            print(json.dumps(answer), file=lines, flush=True)
    os._exit(0)  # without waiting for the libraries' threads


if __name__ == "__main__":
    main()
