"""What an owner reads of a failure: on no way does it have what an error quotes, which administrators see."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from mininova import errors, rpc
from mininova.compute.manager import ComputeManager
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.build import BuildTask
from mininova.conductor.manager import ConductorManager
from mininova.conductor.rpcapi import ConductorAPI
from mininova.scheduler.manager import SchedulerManager
from mininova.service.rejections import Rejections
from mininova.virt.fake import FakeDriver
from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import ask

PLANTED = "planted.inside.example"

AWAY = errors.DatabaseAway(f"The database postgresql+psycopg://{PLANTED}/mininova cannot be reached")
BUG = RuntimeError(f"cannot open /etc/{PLANTED}")

#: Where an error is raised → the method in which, the error, the operation that it ends, and how the fault begins.
WAYS: dict[str, tuple[type, str, Exception, str, str]] = {
    "the hypervisor boots": (FakeDriver, "spawn", BUG, "build", "Exceeded maximum"),
    "the hypervisor reboots": (FakeDriver, "reboot", BUG, "hard_reboot", "RuntimeError"),
    "the hypervisor destroys": (FakeDriver, "destroy", BUG, "delete", "RuntimeError"),
    "a compute gives up": (ComputeManager, "build_instance", BUG, "build", "build_instance was given up: Ru"),
    "a compute asks": (ConductorManager, "allocate_network", AWAY, "build", "build_instance was given up: Da"),
    "a conductor gives up": (BuildTask, "build", AWAY, "build", "build_instances was given up: DatabaseAway"),
    "the scheduler": (SchedulerManager, "select_destinations", BUG, "build", "RemoteError"),
    "a conductor cannot send": (ComputeAPI, "build_instance", rpc.Undeliverable(PLANTED), "build", "Exceeded maximum"),
    "the api cannot send": (
        ConductorAPI, "build_instances", rpc.UnsupportedVersion(PLANTED), "build", "The build could not be handed"
    ),
}  # fmt: skip


def failing(error: Exception) -> Callable[..., None]:
    def fail(*asked: Any, **how: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize("way", WAYS)
def test_what_an_error_quotes(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
):
    """Its owner reads no more than the name of the error, an administrator its words, and the log has both.

    Where the database is, no compute is told, nor so an administrator, if a compute gave up for it.
    """
    where, method, error, operation, words = WAYS[way]
    monkeypatch.setattr(where, method, failing(error))
    with caplog.at_level(logging.WARNING):
        uuid, _ = ask(cloud, operation)
        cloud.run()

    seen = cloud.show(uuid, user="demo")
    assert seen["fault"]["message"].startswith(words)
    assert PLANTED not in str(seen)
    details = cloud.show(uuid)["fault"]["details"]
    if way == "a compute asks":
        assert errors.DatabaseAway.outside in details
        assert PLANTED not in details
        assert any(line.startswith("allocate_network failed") and PLANTED in line for line in caplog.messages)
        assert any(uuid in line and errors.DatabaseAway.outside in line for line in caplog.messages), caplog.messages
    else:
        assert PLANTED in details
        assert any(uuid in line and PLANTED in line for line in caplog.messages), caplog.messages


def test_what_a_refusal_quotes(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """A receiver that refuses a cast says which versions it speaks, and where: that is for operators."""
    refused = Rejections.__call__
    error = rpc.UnsupportedVersion(f"compute on {PLANTED} speaks 1.0")
    monkeypatch.setattr(Rejections, "__call__", lambda self, ctxt, cast, _: refused(self, ctxt, cast, error))
    cloud.pretend_version("compute", "2.0")
    with caplog.at_level(logging.WARNING):
        uuid, _ = ask(cloud, "build")
        cloud.run()

    seen = cloud.show(uuid, user="demo")
    assert seen["fault"]["message"] == "build_instance was refused: UnsupportedVersion"
    assert PLANTED not in str(seen)
    assert PLANTED in cloud.show(uuid)["fault"]["details"]
    assert any(uuid in line and PLANTED in line for line in caplog.messages), caplog.messages
