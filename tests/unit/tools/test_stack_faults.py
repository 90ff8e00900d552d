"""What people do to the services of a stack: processes that are killed and paused, ways that are cut."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stack.errors import StackError
from stack.faults import ACTIONS, Faults, RefusedError, Server
from stack.network import CUT, SLOW
from stack.services import FAULTS
from stack.supervisor import Status

from mininova import errors
from mininova.control import services
from mininova.control.services import Action, LocalStack

API, COMPUTE, BROKER, GONE = "mininova-api", "mininova-compute-host-1", "rabbitmq", "mininova-scheduler"
A_MINUTE = 60.0


class FakeImpostor:
    """Remembers what it said, and in whose name.

    :ivar said: what, and the program
    """

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def trespass(self, program: str) -> None:
        if program != COMPUTE:
            raise StackError(f"{program} is no compute.")
        self.said.append(("trespass", program))

    def mismatch(self, program: str) -> None:
        self.said.append(("mismatch", program))


class FakeNetwork:
    """The ways of two services, and what each suffers."""

    def __init__(self) -> None:
        self.links: dict[str, str | None] = {API: None, COMPUTE: None}

    def suffer(self, way: str, trouble: str | None) -> None:
        self.links[way] = trouble


class FakeSupervisor:
    """Runs one process, which is the compute; of the others nothing but this program runs.

    :ivar restarted: what was restarted
    """

    def __init__(self) -> None:
        self.process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True)
        self.restarted: list[str] = []

    def all(self) -> list[Status]:
        return [self.status(name) for name in (API, COMPUTE, BROKER, GONE, FAULTS)]

    def status(self, name: str) -> Status:
        return Status(name, "RUNNING", {COMPUTE: self.process.pid, FAULTS: os.getpid()}.get(name, 0), 1)

    def restart(self, name: str) -> int:
        self.restarted.append(name)
        return 0


@pytest.fixture
def supervisor() -> Iterator[FakeSupervisor]:
    made = FakeSupervisor()
    yield made
    made.process.kill()
    made.process.communicate()


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


@pytest.fixture
def impostor() -> FakeImpostor:
    return FakeImpostor()


@pytest.fixture
def faults(supervisor: FakeSupervisor, network: FakeNetwork, impostor: FakeImpostor) -> Faults:
    return Faults(supervisor, network, impostor)  # type: ignore[arg-type]


def becomes(supervisor: FakeSupervisor, change: int) -> bool:
    """Wait for a change of the process: os.WSTOPPED, os.WCONTINUED or os.WEXITED; tell whether it came."""
    return os.waitid(os.P_PID, supervisor.process.pid, change | os.WNOWAIT) is not None


def actions(faults: Faults, name: str) -> Any:
    """Give the actions that are in force for a service."""
    return next(it["actions"] for it in faults.services() if it["name"] == name)


def test_a_service_is_killed(faults: Faults, supervisor: FakeSupervisor) -> None:
    """At once."""
    faults.act(COMPUTE, "kill", A_MINUTE)
    assert becomes(supervisor, os.WEXITED)
    assert supervisor.process.wait() == -signal.SIGKILL


def test_a_service_is_paused_and_resumed(faults: Faults, supervisor: FakeSupervisor) -> None:
    """The list says so meanwhile."""
    faults.act(COMPUTE, "pause", A_MINUTE)
    assert (becomes(supervisor, os.WSTOPPED), actions(faults, COMPUTE)) == (True, ["pause"])
    faults.act(COMPUTE, "resume", A_MINUTE)
    assert (becomes(supervisor, os.WCONTINUED), actions(faults, COMPUTE)) == (True, [])


def test_a_pause_ends_by_itself(faults: Faults, supervisor: FakeSupervisor) -> None:
    """When its time is over, so that no cloud stands still for ever; the time of the last pause counts."""
    faults.act(COMPUTE, "pause", A_MINUTE)
    assert becomes(supervisor, os.WSTOPPED)
    faults.act(COMPUTE, "pause", 0.01)
    assert becomes(supervisor, os.WCONTINUED)


def test_a_killed_service_is_not_resumed_later(faults: Faults, supervisor: FakeSupervisor) -> None:
    """Its pause has ended with it."""
    faults.act(COMPUTE, "pause", A_MINUTE)
    faults.act(COMPUTE, "kill", A_MINUTE)
    assert actions(faults, COMPUTE) == []


def test_what_was_paused_before_this_program_was_killed_goes_on(faults: Faults, supervisor: FakeSupervisor) -> None:
    """Nothing else would end that pause."""
    os.killpg(supervisor.process.pid, signal.SIGSTOP)
    assert becomes(supervisor, os.WSTOPPED)
    faults.resume_all()
    assert becomes(supervisor, os.WCONTINUED)


def test_a_service_is_restarted(faults: Faults, supervisor: FakeSupervisor) -> None:
    """By supervisord, whether it runs or not."""
    faults.act(GONE, "restart", A_MINUTE)
    assert supervisor.restarted == [GONE]


def test_a_way_is_cut_slow_and_mended(faults: Faults, network: FakeNetwork) -> None:
    """Beside what is done to the process."""
    faults.act(COMPUTE, "pause", A_MINUTE)
    for action, trouble, listed in (
        ("cut", CUT, ["pause", "cut"]),
        ("slow", SLOW, ["pause", "slow"]),
        ("mend", None, ["pause"]),
    ):
        faults.act(COMPUTE, action, A_MINUTE)
        assert (network.links, actions(faults, COMPUTE)) == ({API: None, COMPUTE: trouble}, listed)


def test_the_broker_is_cut_off_from_all(faults: Faults, network: FakeNetwork) -> None:
    """That is, from all that have a way to it; the flow calls it the broker, whichever it is."""
    faults.act(BROKER, "cut", A_MINUTE)
    assert network.links == {API: CUT, COMPUTE: CUT}
    faults.act("broker", "mend", A_MINUTE)
    assert network.links == {API: None, COMPUTE: None}


def test_a_service_has_its_name_in_the_flow_too(faults: Faults, network: FakeNetwork, impostor: FakeImpostor) -> None:
    """What is done to it is done to its program."""
    named = {it["name"]: it["service"] for it in faults.services()}
    assert named == {API: "api.ctl-1", COMPUTE: "compute.host-1", BROKER: "broker", GONE: "scheduler.ctl-1"}
    faults.act("compute.host-1", "cut", A_MINUTE)
    faults.act("compute.host-1", "trespass", A_MINUTE)
    faults.act("compute.host-1", "mismatch", A_MINUTE)
    assert (network.links[COMPUTE], actions(faults, COMPUTE)) == (CUT, ["cut"])
    assert impostor.said == [("trespass", COMPUTE), ("mismatch", COMPUTE)]


@pytest.mark.parametrize(
    ("name", "action", "status", "words"),
    [
        ("sshd", "kill", 404, "no service sshd"),
        ("", "kill", 404, "no service"),
        (FAULTS, "pause", 404, "no service faults"),
        (GONE, "kill", 409, "mininova-scheduler does not run"),
        (GONE, "cut", 409, "mininova-scheduler has no way"),
        (API, "trespass", 409, "mininova-api is no compute"),
    ],
)
def test_what_cannot_be_done_is_refused(faults: Faults, name: str, action: str, status: int, words: str) -> None:
    """No process but those that supervisord runs is touched, and this program itself is none of them."""
    with pytest.raises(RefusedError, match=words) as refusal:
        faults.act(name, action, A_MINUTE)
    assert refusal.value.status == status


def test_the_api_asks_over_a_socket(faults: Faults, network: FakeNetwork, tmp_path: Path) -> None:
    """It is answered with the list, or with what could not be done; or does not wait for the answer."""
    with Server(tmp_path / "faults.sock", faults) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack = LocalStack(str(tmp_path / "faults.sock"))
        assert [it["name"] for it in stack.services()] == [API, COMPUTE, BROKER, GONE]
        stack.act(COMPUTE, Action("cut"))
        assert network.links[COMPUTE] == CUT
        with pytest.raises(errors.NotFound, match="no service sshd"):
            stack.act("sshd", Action("kill"))
        with pytest.raises(errors.Conflict, match="does not run"):
            stack.act(GONE, Action("kill"))
        server.shutdown()


def test_the_control_api_knows_the_same_actions() -> None:
    """In the same order."""
    assert [*ACTIONS] == [*services.ACTIONS]
