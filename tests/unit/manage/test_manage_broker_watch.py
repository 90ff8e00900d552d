"""mininova-manage broker watch: what is over a bound, and what is done about it; tests/wire has it on a real broker."""

import json

import pytest

from mininova import errors
from mininova.manage.broker_watch import MOST_HELD_BYTES, Held, HeldQueue, Watch, too_much

LARGE = HeldQueue(
    name="compute.host-1", kind="rabbit_classic_queue", messages=300, bytes=300 << 20, readers=("compute.host-1",)
)
MANY = HeldQueue(name="compute.host-2", kind="rabbit_quorum_queue", messages=100_001)
FULL = HeldQueue(name="compute.host-3", kind="rabbit_classic_queue", messages=50_000, bytes=64 << 20)
STREAM = HeldQueue(name="compute.host-4.dead", kind="rabbit_stream_queue", readers=("compute.host-4", "manage"))


class Admin:
    """Says what the broker holds, and notes what it is to do.

    :param said: what the broker prints
    """

    def __init__(self, said: str = "") -> None:
        self._said, self.done = said, list[tuple[str, ...]]()

    def evaluated(self, expression: str) -> str:
        """Print it."""
        return self._said

    def disconnect(self, user: str, why: str) -> None:
        """Note it."""
        self.done.append(("disconnect", user))

    def purge_queue(self, queue: str, virtual_host: str) -> None:
        """Note it."""
        self.done.append(("purge", queue, virtual_host))

    def delete_queue(self, queue: str, virtual_host: str) -> None:
        """Note it."""
        self.done.append(("delete", queue, virtual_host))


def test_a_compute_that_holds_too_much_is_cut_off():
    """Another compute stays, and so does a service, whatever it holds."""
    admin = Admin()
    held = Held({"compute.host-1": MOST_HELD_BYTES + 1, "compute.host-2": MOST_HELD_BYTES, "conductor": 2**40}, [])

    Watch(admin, "/").act(held)

    assert admin.done == [("disconnect", "compute.host-1")]
    assert list(too_much(held)) == ["the broker holds 128 MiB for compute.host-1"]


def test_a_queue_with_more_than_it_may_have_is_emptied():
    """Those computes that read it are cut off first; a queue that is only full stays as it is."""
    admin = Admin()

    Watch(admin, "nova").act(Held({}, [LARGE, MANY, FULL]))

    assert admin.done == [
        ("disconnect", "compute.host-1"),
        ("purge", "compute.host-1", "nova"),
        ("purge", "compute.host-2", "nova"),
    ]


def test_a_stream_is_deleted():
    """The operator's tool that reads it stays connected."""
    admin = Admin()

    Watch(admin, "/").act(Held({}, [STREAM]))

    assert admin.done == [("disconnect", "compute.host-4"), ("delete", "compute.host-4.dead", "/")]


def test_what_the_broker_prints_is_read():
    """After the line of JSON comes what Erlang gives back."""
    told = {"users": {"api": 1}, "queues": [{"name": "compute.host-3", "kind": "x", "messages": 2, "readers": []}]}
    held = Watch(Admin(json.dumps(told) + "\nok\n"), "/").look()
    assert (held.users, [queue.messages for queue in held.queues]) == ({"api": 1}, [2])


def test_a_broker_that_prints_something_else_is_named():
    """The error has what it printed."""
    with pytest.raises(errors.BrokerAdminFailed, match="no such function"):
        Watch(Admin("no such function"), "/").look()


class Ended(Admin):
    """Finds that the connections have ended just now."""

    def disconnect(self, user: str, why: str) -> None:
        """Fail, as rabbitmqctl does then."""
        raise errors.BrokerAdminFailed(command="rabbitmqctl close_all_user_connections", reason="normal")


def test_a_connection_that_ends_meanwhile_does_not_end_the_watch() -> None:
    """What is left in its queue is taken out all the same."""
    admin = Ended()
    queue = HeldQueue(name="compute.host-1", kind="rabbit_classic_queue", messages=10**6, readers=("compute.host-1",))
    Watch(admin, "/").act(Held({}, [queue]))
    assert admin.done == [("purge", "compute.host-1", "/")]
