"""Ports of the local stack: two processes that pick one at the same time get different ones."""

import os
import socket
import subprocess
import sys

import pytest
from stack import ports
from stack.errors import StackError

#: Below all other picks, and different for each test process: reservations last until the process ends.
HERE = 10_000 + 50 * (os.getpid() % 190)
TWELVE = range(HERE, HERE + 12)

TAKE = f"from stack import ports\nprint([ports.pick(among={TWELVE}) for _ in range(6)], flush=True)\ninput()"


@pytest.fixture
def six_ports():
    """Give six ports that another process has picked, and holds until the test ends."""
    picker = subprocess.Popen([sys.executable, "-c", TAKE], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={"PYTHONPATH": ":".join(sys.path)})  # fmt: skip
    yield set(eval(picker.stdout.readline()))
    picker.communicate("\n")


def test_a_port_is_picked_once(six_ports):
    """A port is picked once by all processes, although nothing listens on it yet."""
    ours = {ports.pick(among=TWELVE) for _ in range(6)}

    assert len(ours | six_ports) == 12
    with pytest.raises(StackError, match=f"No 1 ports in a row are free from {TWELVE[0]} to {TWELVE[-1]}"):
        ports.pick(among=TWELVE)


def test_the_first_free_port_is_not_a_picked_one():
    """The first free port is not one that another process has reserved."""
    first = ports.pick(2, among=range(HERE + 20, HERE + 22))

    assert ports.first_free(first) > first + 1


def test_ports_in_a_row_are_all_reserved():
    """A process that picks several ports gets a row, and none of them is picked again."""
    row = range(HERE + 30, HERE + 36)
    first = ports.pick(4, among=row)

    assert ports.pick(among=row) not in range(first, first + 4)
    with pytest.raises(StackError, match="No 4 ports"):
        ports.pick(4, among=row)


def test_a_port_on_which_something_listens_is_not_picked():
    """A port in use is not picked, and the others of its row can be."""
    row = range(HERE + 40, HERE + 42)
    with socket.create_server((ports.LOOPBACK, row[1])):
        with pytest.raises(StackError):
            ports.pick(2, among=row)
        assert ports.pick(among=row) == row[0]
