"""The files of a private RabbitMQ node."""

import json
import os
import re
import stat
import subprocess

import pytest
from stack import broker
from stack.errors import StackError


@pytest.fixture
def node(tmp_path):
    """Give a node whose files are written; its program only prints its environment."""
    server = tmp_path / "rabbitmq-server"
    server.write_text("#!/bin/sh\nexec env\n")
    server.chmod(0o700)
    node = broker.Node(tmp_path / "a folder", server, 5690, broker.one_user("it's a secret"))
    node.write({"PATH": os.environ["PATH"], "RABBITMQ_NODENAME": "rabbit@elsewhere"})
    return node


def test_there_is_one_user_and_no_guest(node):
    """The definitions have our user alone, and limit the queues of notifications."""
    definitions = json.loads((node.folder / "definitions.json").read_text())

    assert [user["name"] for user in definitions["users"]] == ["mininova"]
    (policy,) = [it for it in definitions["policies"] if re.search(it["pattern"], "notifications.info")]
    assert policy["definition"]["max-length"] > 0


def test_files_with_secrets_are_private(node):
    """Only the user can read what is in the folder."""
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in node.folder.iterdir()}

    assert ".erlang.cookie" in modes
    assert set(modes.values()) == {0}


def test_the_node_gets_no_other_environment(node):
    """The caller's settings for another RabbitMQ do not reach the node, whose paths are all in its folder."""
    stranger = {"RABBITMQ_NODENAME": "rabbit@elsewhere", "HOME": "/elsewhere", "NOTIFY_SOCKET": "/run/ready"}
    told = run_with(stranger, node.folder / broker.START)

    assert told["RABBITMQ_NODENAME"] == node.name
    assert told["NOTIFY_SOCKET"] == "/run/ready"
    assert "elsewhere" not in "".join(told.values())
    for name in ("HOME", "RABBITMQ_MNESIA_BASE", "RABBITMQ_LOG_BASE", "RABBITMQ_PID_FILE", "RABBITMQ_CONF_ENV_FILE"):
        assert told[name].startswith(str(node.folder)), name


def run_with(environment, program):
    """Run a program that prints its environment, and give what it prints."""
    printed = subprocess.run([program], env=environment, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in printed.splitlines())


def test_it_listens_on_the_loopback_address_only(node):
    """AMQP and Erlang's distribution are bound to 127.0.0.1, and no epmd is started."""
    told = run_with({}, node.folder / broker.START)

    assert '[{"127.0.0.1", 5690}]' in (node.folder / "advanced.config").read_text()
    assert "-kernel inet_dist_use_interface {127,0,0,1}" in told["ERL_ZFLAGS"]
    assert "-start_epmd false" in told["ERL_ZFLAGS"]


def test_the_url_quotes_the_password(node):
    """A password with special characters is quoted in the URL."""
    assert node.url(broker.USER, "it's a secret") == "amqp://mininova:it%27s%20a%20secret@127.0.0.1:5690/"


def test_two_folders_make_two_nodes(tmp_path):
    """Each node has an Erlang name of its own."""
    names = {broker.Node(tmp_path / name, tmp_path, 5690, {}).name for name in ("one", "two")}

    assert len(names) == 2


def test_a_named_server_must_be_a_program(tmp_path):
    """RABBITMQ_SERVER is used, but must name a program."""
    with pytest.raises(StackError, match="RABBITMQ_SERVER"):
        broker.find_server({"RABBITMQ_SERVER": str(tmp_path / "nothing")})


def test_khepri_keeps_its_modules(rabbitmq_server, tmp_path):
    """RabbitMQ 4 does not start else: of what others have as modules, the preload leaves it nothing to look through."""
    for name, needs in {"rabbit": "khepri, ra", "rabbitmq_prelaunch": "", "khepri": "", "ra": ""}.items():
        keys = f'[{{vsn, "1"}}, {{modules, [{name}]}}, {{registered, []}}, {{applications, [{needs}]}}]'
        (tmp_path / f"{name}.app").write_text(f"{{application, {name}, {keys}}}.\n")
    asked = "[io:format('~p~n', [application:get_key(App, modules)]) || App <- [khepri, ra]], halt()."
    preloaded = ["-run", "file", "script", str(broker.PRELOAD), "-eval", asked]

    ran = subprocess.run(["erl", "-noshell", "-pa", tmp_path, *preloaded], capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines() == ["undefined", "{ok,[]}"]  # it is loaded when it starts, with all that it has
