"""The end of a stack: services first, then the broker, then the processes that are left, each by its pid."""

from stack import brokers, processes, services
from stack.errors import StackError
from stack.home import Home
from stack.supervisor import Supervisor


def stop(home: Home) -> int:
    """Stop everything that this home's stack started, and give how many processes that were.

    :raises StackError: when something survives
    """
    count = len(processes.of(home.root))
    supervisor = Supervisor(home)
    if supervisor.answers():
        names = [status.name for status in supervisor.all()]
        last = {*brokers.KINDS, services.FAULTS}  # the services end what they do with their broker
        supervisor.stop(name for name in names if name not in last)
        supervisor.stop(name for name in names if name in last)
        supervisor.shut_down()
    if left := processes.end(home.root):
        raise StackError(f"These processes do not end: {', '.join(f'{pid} ({what})' for pid, what in left.items())}")
    return count


def refuse_leftovers(home: Home) -> None:
    """Refuse to start beside processes of an earlier start whose supervisor is gone.

    :raises StackError: naming the way out
    """
    if left := processes.of(home.root):
        raise StackError(
            f"The supervisor of the stack in {home.root} is gone, but {len(left)} of its processes run "
            f"(pid {', '.join(map(str, left))}).  Stop them with tools/unstack.sh first."
        )
