"""What any test may ask for: a RabbitMQ node of its own, and the flag that rewrites golden files."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from private_broker import PrivateBroker
from stack import broker


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that rewrites golden files."""
    parser.addoption("--rewrite", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture(scope="session")
def rabbitmq_server() -> Path:
    """Find the rabbitmq-server program; without one the test is skipped, but in CI it fails."""
    server = broker.find_server(os.environ)
    if server is None and os.environ.get("CI"):
        pytest.fail("RabbitMQ is not installed: tools/stack.sh install")
    if server is None:
        pytest.skip("RabbitMQ is not installed: tools/stack.sh install")
    return server


@pytest.fixture(scope="session")
def private_broker(rabbitmq_server: Path) -> Iterator[PrivateBroker]:
    """Run a node for the whole session: tests that share it choose names of their own."""
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))  # a short path, for the socket in it
    node = PrivateBroker(folder, rabbitmq_server)
    node.start()
    yield node
    node.kill()
    shutil.rmtree(folder)
