"""The OpenStack SDK against a stack of the tests: how to connect, and how to wait as a client has to."""

from pathlib import Path

import openstack
import pytest
from openstack.config import OpenStackConfig


def connect(stack, name="mininova-admin"):
    """Give the SDK's connection to one of a stack's clouds; the admin alone may choose a host."""
    region = OpenStackConfig(config_files=[str(stack.home.clouds)]).get_one(name)
    return openstack.connection.Connection(config=region)


def at_rest(cloud, server, *, ends=("ACTIVE", "ERROR"), patience=60):
    """Wait until a server is in one of some states, by asking."""
    for _ in openstack.utils.iterate_timeout(patience, f"{server.name} is not {' or '.join(ends)}", wait=0.1):
        server = cloud.compute.get_server(server)
        if server.status in ends:
            return server
    raise AssertionError("iterate_timeout ends with an exception")


def let_it_announce(items, conftest):
    """Let the SDK announce what it will drop some day, in the tests beside a conftest: that is no error of ours."""
    for item in items:
        if item.path.is_relative_to(Path(conftest).parent):
            for kind in ("DeprecationWarning", "PendingDeprecationWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind}"))
