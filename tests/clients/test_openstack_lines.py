"""python-openstackclient: 340 lines that people type, each of which ends as with the real services."""

import json
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from stack.up import client_environment

LINES = Path(__file__).with_name("openstack_lines.txt")
LINE = re.compile(r"(?:\$(?P<name>\w+) = )?(?:(?P<user>admin): )?(?P<typed>.*?)(?: => (?P<complaint>.*))?")


#: Who types → the cloud of clouds.yaml.
CLOUDS = {"demo": "mininova", "admin": "mininova-admin"}


@pytest.fixture
def prompts(local_stack):
    """Give the prompt of each user: a process of the client."""
    environment = client_environment(local_stack.home, local_stack.environment)
    with ExitStack() as running:
        yield {user: running.enter_context(_prompt(cloud, environment)) for user, cloud in CLOUDS.items()}


def _prompt(cloud, environment):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fixtures.typed_lines", cloud],
        cwd=Path(__file__).parents[2], text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment,
    )  # fmt: skip


def typed(prompt, words):
    """Type a line into a prompt; give its exit code, what it printed, and its complaints."""
    prompt.stdin.write(json.dumps(words) + "\n")
    return json.loads(prompt.stdout.readline())


def test_each_line_ends_as_it_should(prompts):
    """The lines of openstack_lines.txt succeed, or fail with the words that stand behind them."""
    wrong, names = [], {}
    lines = [line for line in LINES.read_text().splitlines() if line and not line.startswith("#")]
    for line in lines:
        said = LINE.fullmatch(line)
        words = [re.sub(r"\$(\w+)", lambda found: names[found[1]], word) for word in shlex.split(said["typed"])]
        code, printed, complained = typed(prompts[said["user"] or "demo"], words)
        complaint = said["complaint"]
        if bool(code) != (complaint is not None) or (complaint or "") not in complained:
            wrong.append(f"{line}\n    {code}: {complained.strip()}")
        if said["name"]:
            names[said["name"]] = (printed.split() or ["nothing"])[0]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(lines)}:", *wrong])
