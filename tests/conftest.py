"""What any test may ask for: a RabbitMQ node or a stack of its own, and the flag that rewrites golden files."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from local_stack import LocalStack
from private_broker import PrivateBroker
from stack import broker, ports


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


@pytest.fixture(scope="session")
def make_stack(rabbitmq_server: Path) -> Iterator[Callable[..., LocalStack]]:
    """Give a function that makes a stack's home and ports, without starting it; all are stopped in the end."""
    made: list[LocalStack] = []

    def make(**variables: str) -> LocalStack:
        home = Path(tempfile.mkdtemp(prefix="mininova-"))
        fixed = {"API_PORT": str(ports.pick()), "BROKER_PORT": str(ports.pick()), "COMPUTES": "2"}
        made.append(LocalStack(home, {**fixed, **variables}))
        return made[-1]

    yield make
    for stack in made:
        stack.unstack("--clean")
        shutil.rmtree(stack.home.root, ignore_errors=True)
