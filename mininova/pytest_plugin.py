"""Fixtures of pytest: a cloud for the tests of your project, and for each test a project in it of its own.

pytest finds them wherever mininova is installed.  A session that asks for none starts no cloud, and pays nothing.
"""

import json
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mininova.control.client import Control, ControlError, Rule

PATIENCE_S = 60  # for a cloud to start or to end
BEHAVIOUR, RULES = "mininova_behaviour", "mininova_rules"
MARKERS = (
    f"{BEHAVIOUR}(*rules): rules of mininova's fake hypervisor for one test, as in fake-behaviour.yaml",
    f"{RULES}(*rules): rules by which REST requests of one test fail, as the control API takes them",
)


@dataclass(frozen=True)
class MininovaCloud:
    """A cloud that runs beside the tests.

    :ivar url: where all its services answer
    :ivar folder: its settings, its log, ``clouds.yaml`` with the clouds mininova and mininova-admin, and the
        ``fake-behaviour.yaml`` that it reads again when it changes
    """

    url: str
    folder: Path

    def login(self, cloud: str = "mininova") -> dict[str, Any]:
        """Give the arguments with which openstack.connect() logs in as the user of a cloud of ``clouds.yaml``."""
        known = json.loads((self.folder / "clouds.yaml").read_text())["clouds"][cloud]
        return {**known["auth"], "region_name": known["region_name"]}

    @property
    def control(self) -> Control:
        """The client of its control API."""
        return Control.of_file(self.folder / "control.json")

    def rule(self, **what: Any) -> AbstractContextManager[Rule]:
        """Have requests fail in a block, be late, or lose their answer; the rule counts them.

        :param what: the fields of the rule, such as ``method="POST", url="*/servers", status=503, times=2``
        """
        return self.control.rule(**what)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what pytest's configuration file can say of the cloud."""
    parser.addini("mininova_hosts", "how many hosts the cloud of mininova_cloud has", default="3")
    parser.addini("mininova_config", "a file with more of its settings, beside pytest's own", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture(scope="session")
def mininova_cloud(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MininovaCloud]:
    """Run a cloud for the session, in a process of its own."""
    folder = tmp_path_factory.mktemp("mininova")
    command = [sys.executable, "-m", "mininova", "--port", "0", "--state", str(folder)]
    command += ["--hosts", pytestconfig.getini("mininova_hosts")]
    if more := pytestconfig.getini("mininova_config"):
        command += ["--config-file", str(pytestconfig.rootpath / more)]
    cloud = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert cloud.stdout is not None
        if not select.select([cloud.stdout], [], [], PATIENCE_S)[0]:
            pytest.fail(f"mininova-cloud did not start in {PATIENCE_S} s; its log is {folder}/mininova.log")
        said = cloud.stdout.readline()
        if cloud.poll() is not None or not (folder / "clouds.yaml").exists():
            pytest.fail(f"mininova-cloud did not start: {said}{cloud.stdout.read()}")
        url = json.loads((folder / "clouds.yaml").read_text())["clouds"]["mininova"]["auth"]["auth_url"]
        yield MininovaCloud(url.removesuffix("/identity/v3"), folder)
    finally:
        cloud.terminate()
        cloud.wait(PATIENCE_S)
        if cloud.stdout is not None:
            cloud.stdout.close()


@pytest.fixture(scope="session")
def _mininova_admin(mininova_cloud: MininovaCloud) -> Iterator[Any]:
    """Log in as the administrator once: to do so for each test would take a sixth of its time."""
    import openstack

    admin = openstack.connect(**mininova_cloud.login("mininova-admin"))
    yield admin
    admin.close()


@pytest.fixture
def openstack_connection(mininova_cloud: MininovaCloud, _mininova_admin: Any) -> Iterator[Any]:
    """Give an openstack.connection.Connection of a user and a project that no other test has; delete what it leaves.

    It needs openstacksdk.
    """
    import openstack

    name, admin = f"test-{uuid4().hex[:8]}", _mininova_admin
    project = admin.identity.create_project(name=name, domain_id="default")
    user = admin.identity.create_user(name=name, password=name, domain_id="default")
    role = admin.identity.find_role("member")
    admin.identity.assign_project_role_to_user(project, user, role)
    who = {"username": name, "password": name, "project_name": name}
    connection = openstack.connect(**{**mininova_cloud.login(), **who})
    yield connection
    connection.close()
    mininova_cloud.control.reset(project.id)
    admin.identity.delete_user(user)
    admin.identity.delete_project(project)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the rules of a marker be in force when its test begins, after the fixtures that it asks for."""
    for item in items:
        if item.get_closest_marker(BEHAVIOUR) and isinstance(item, pytest.Function):
            item.fixturenames.insert(0, "_behaviour_of_the_marker")
        if item.get_closest_marker(RULES) and isinstance(item, pytest.Function):
            item.fixturenames.append("_rules_of_the_marker")


@pytest.fixture
def _rules_of_the_marker(request: pytest.FixtureRequest, mininova_cloud: MininovaCloud) -> Iterator[None]:
    """Have REST requests fail during a test."""
    with ExitStack() as rules:
        for what in _told(request, RULES):
            with _explained(RULES):
                rules.enter_context(mininova_cloud.rule(**what))
        yield


@pytest.fixture
def _behaviour_of_the_marker(request: pytest.FixtureRequest, mininova_cloud: MininovaCloud) -> Iterator[None]:
    """Have the fake hypervisor go by other rules during a test."""
    control = mininova_cloud.control
    before = control.request("GET", "/behaviour")["rules"]
    with _explained(BEHAVIOUR):
        control.behaviour(*_told(request, BEHAVIOUR))
    yield
    control.behaviour(*before)


def _told(request: pytest.FixtureRequest, marker: str) -> list[Mapping[str, Any]]:
    """Give the rules of a test's markers, then of its class's and its module's; a marker's fields are a rule, too."""
    marks = request.node.iter_markers(marker)
    told = [rule for mark in marks for rule in (*mark.args, *([mark.kwargs] if mark.kwargs else []))]
    for rule in told:
        if not isinstance(rule, Mapping):
            pytest.fail(f"the marker {marker} takes rules, each of them a dict, and not {rule!r}", pytrace=False)
    return told


@contextmanager
def _explained(marker: str) -> Iterator[None]:
    """Have a test fail in one line whose marker has a rule that the cloud refuses."""
    try:
        yield
    except ControlError as error:
        raise pytest.fail.Exception(f"the marker {marker}: {error}", pytrace=False) from None
