"""The markers of the pytest plugin, as a project's tests use them, rightly or not."""

import subprocess
import sys
from pathlib import Path

import pytest

DEADLINE = 240  # seconds; a few when nothing else runs

PROJECT = """
import pytest

pytestmark = pytest.mark.mininova_rules(url="*/a", status=503)


def urls(cloud):
    return [rule["url"] for rule in cloud.control.rules()]


@pytest.mark.mininova_rules({"url": "*/b", "status": 503}, {"url": "*/c", "status": 503})
class TestClass:
    @pytest.mark.mininova_rules(url="*/d", status=503)
    def test_every_marker_counts(self, mininova_cloud):
        assert urls(mininova_cloud) == ["*/d", "*/b", "*/c", "*/a"]

    def test_the_rules_of_a_test_end_with_it(self, mininova_cloud):
        assert urls(mininova_cloud) == ["*/b", "*/c", "*/a"]


@pytest.mark.mininova_behaviour({"operation": "spawn", "delay": 1})
@pytest.mark.mininova_behaviour(operation="destroy", delay=2)
def test_hosts_behave_by_every_marker(mininova_cloud):
    rules = mininova_cloud.control.request("GET", "/behaviour")["rules"]
    assert {rule["operation"] for rule in rules} == {"spawn", "destroy"}


@pytest.mark.mininova_rules({"url": "*", "statuz": 503})
def test_a_field_with_a_typo():
    pass


@pytest.mark.mininova_rules([{"url": "*", "status": 503}])
def test_a_list():
    pass


@pytest.mark.mininova_behaviour({"operation": "spwan"})
def test_an_operation_with_a_typo():
    pass
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Run the project's tests; give what pytest says."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "test_project.py").write_text(PROJECT)
    words = [Path(sys.executable).with_name("pytest"), "-q", "-p", "no:cacheprovider", "-c", "/dev/null", folder]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=DEADLINE).stdout


def test_each_marker_of_a_test_counts(said):
    """Also those of its class and its module, and rules that are written as fields; the closest comes first."""
    assert "3 passed, 3 errors" in said, said


@pytest.mark.parametrize(
    "sentence",
    [
        "the marker mininova_rules: Invalid body: Object contains unknown field `statuz`",
        "the marker mininova_rules takes rules, each of them a dict, and not [{'url': '*', 'status': 503}]",
        "the marker mininova_behaviour: Invalid input for field/attribute rules[0]: no operation is called 'spwan'",
    ],
)
def test_what_is_no_rule_is_said_in_a_line(said, sentence):
    assert (sentence in said, "Traceback" in said, "During handling" in said) == (True, False, False), said
