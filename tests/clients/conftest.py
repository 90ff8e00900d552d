"""What a client has to know of the cloud: where to log in, as who."""

from types import SimpleNamespace

import pytest
import yaml

from tests.fixtures import sdk


def pytest_collection_modifyitems(items):
    """Let the SDK warn of what a later release will drop."""
    sdk.let_it_announce(items, __file__)


@pytest.fixture
def login(local_stack):
    """The lines of the demo user in clouds.yaml, which each of these clients takes in a way of its own."""
    cloud = yaml.safe_load(local_stack.home.clouds.read_text())["clouds"]["mininova"]
    return SimpleNamespace(**cloud["auth"], region=cloud["region_name"])
