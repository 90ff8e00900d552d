"""Nothing secret travels to a compute node, nor into any log: secrets are planted in a real cloud, and looked for.

The cloud logs all it can (DEBUG, and its notifications as well), RabbitMQ's own trace keeps every message, and users
do all that needs a secret, also in ways that fail.  Then the services are stopped, and everything that they said, wrote
and left behind is searched.
"""

import base64
import configparser
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import openstack
import pytest
from stack import clouds, services, settings
from stack.readiness import Readiness
from stack.supervisor import DEADLINE, Supervisor

from mininova.context import RequestContext
from tests.fixtures.broker_tap import Tap
from tests.fixtures.rest_client import COMPUTE, IDENTITY, Client
from tests.fixtures.secret_search import files_with, has, remembered, shown_by

HOST = "host-1"
#: What is no secret, and is found wherever a secret would be.
CANARY = "canary-in-the-coal-mine"
#: What users call a secret among the metadata of a server, which are for its guest, and so for its host.
METADATUM = "planted-and-called-a-password-by-its-user"
#: The file in which a compute keeps the password that it made up for itself.
KEPT = f"hosts/{HOST}/compute.{HOST}.passwords"
#: The folder of the database stands beside the stack's home here, as if it were another machine's.
DATABASE = "the database"

#: Each secret, and the files of the stack that may have it: nothing else may.
PEOPLE = {"secrets.json", "clouds.yaml", "openrc"}
CONTROLLER = {"settings.json", "etc/mininova.conf"}
SECRETS = {
    "the admin's password": PEOPLE,
    "the demo user's password": PEOPLE,
    "a user's password": set(),
    "a user's next password": set(),
    "a mistyped password": set(),
    "a user's token": set(),
    "an administrator's token": set(),
    "a forged token": set(),
    "a chosen password for a guest": set(),
    "a generated password for a guest": set(),
    "a file for a guest": set(),
    "user data": {DATABASE},
    "user data that is refused": set(),
    "a private key": set(),
    "the password of the database": CONTROLLER,
    "the key that signs tokens": {"token.key"},
    "the broker's cookie": {"broker/.erlang.cookie"},
}
each_secret = pytest.mark.parametrize("secret", SECRETS)


class Story:
    """What was done with secrets, and all that can be seen of it afterwards.

    :ivar secrets: name → the secret itself
    :ivar heard: every message, as it was published and as it was handed out
    :ivar passwords: each file with a broker's URL → the user and the password in it
    :ivar renewed: what the compute keeps of the password that it made up when the one of its file was old
    :ivar shown: what /proc shows of the compute
    :ivar remembered: the secrets and passwords that were in the compute's memory; None where Linux lets nobody look
    """

    def __init__(self, stack, folder):
        self.stack, self.folder, self.secrets = stack, folder, {}
        url = settings.load(stack.home).api_url
        self.admin, self.demo = (self._known(url, name) for name in ("admin", "demo"))
        self.secrets["an administrator's token"] = _signature(self.admin.token)
        self.secrets["a user's token"] = _signature(self.demo.token)
        self._url = url
        self.passwords = _passwords(stack.home)
        self.renewed = _renewed(stack.home)

    def _known(self, url, name):
        password = clouds.password(self.stack.home, name)
        self.secrets["the admin's password" if name == "admin" else "the demo user's password"] = password
        return Client(url, name, password)

    def plant(self, what):
        """Make a secret up."""
        return self.secrets.setdefault(what, f"planted-{len(self.secrets)}-{what.replace(' ', '-')}")

    def keep(self, what, secret):
        """Note a secret that the cloud made up."""
        assert len(secret) >= 10
        self.secrets[what] = secret

    # ---- what is done

    def users(self):
        """Make a user, who logs in, mistypes, and changes the password; send a token that was never issued."""
        first, next_one = self.plant("a user's password"), self.plant("a user's next password")
        made = self.admin("POST", f"{IDENTITY}/users", {"user": {"name": "ann", "password": first}})
        changed = {"user": {"original_password": first, "password": next_one}}
        assert Client(self._url, "ann", first, project="").login.status == 201
        assert Client(self._url, "ann", self.plant("a mistyped password"), project="").login.status == 401
        path = f"{IDENTITY}/users/{made.body['user']['id']}/password"
        assert self.admin("POST", path, changed).status == 204
        assert Client(self._url, "ann", next_one, project="").login.status == 201
        forger = Client(self._url, "ann", first, project="")
        forger.token = self.plant("a forged token")
        assert forger("GET", f"{COMPUTE}/servers").status == 401

    def servers(self):
        """Boot servers with all that can be secret, do everything to one, have one find no host, delete them."""
        key = self.demo("POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "laptop"}}, "2.1").body["keypair"]
        lines = key["private_key"].splitlines()
        self.keep("a private key", lines[len(lines) // 2])
        user_data = base64.b64encode(f"#!/bin/sh\nexport X={self.plant('user data')}\n".encode()).decode()
        file = base64.b64encode(self.plant("a file for a guest").encode()).decode()
        more = {"user_data": user_data, "config_drive": True}
        old = {**more, "adminPass": self.plant("a chosen password for a guest"), "key_name": "laptop"}
        old |= {"personality": [{"path": "/etc/motd", "contents": file}], "networks": []}
        old["metadata"] = {"mine": CANARY, "db_password": METADATUM}
        first = self.demo.boot(CANARY, "2.1", **old).body["server"]
        second = self.admin.boot("lost", **more, availability_zone=f"nova:{HOST}:no-such-node").body["server"]
        self.keep("a generated password for a guest", second["adminPass"])
        refused = self.demo.boot("refused", user_data=self.plant("user data that is refused") + "!")
        assert refused.status == 400
        assert self.demo.at_rest(first["id"]) == "ACTIVE"
        assert self.admin.at_rest(second["id"]) == "ERROR"
        self._use(first["id"])
        for client, server in ((self.demo, first), (self.admin, second)):
            assert client("DELETE", f"{COMPUTE}/servers/{server['id']}").status == 204
            assert client.at_rest(server["id"]) == "DELETED"

    def _use(self, server):
        path = f"{COMPUTE}/servers/{server}"
        shown = self.admin("GET", path).body["server"]
        assert has(shown["OS-EXT-SRV-ATTR:user_data"].encode(), self.secrets["user data"])
        assert self.demo("POST", f"{path}/action", {"os-getConsoleOutput": {}}).status == 200
        assert self.admin("GET", f"{path}/diagnostics").status == 200
        for verb, more in (("os-stop", None), ("os-start", None), ("reboot", {"type": "HARD"})):
            assert self.demo("POST", f"{path}/action", {verb: more}).status == 202
            assert self.demo.at_rest(server) == ("SHUTOFF" if verb == "os-stop" else "ACTIVE")

    # ---- what is seen

    def look_at_the_compute(self):
        """Keep what can be seen of the compute while it runs."""
        pid = self.stack.pids()[services.COMPUTE + HOST]
        self.shown = shown_by(pid)
        try:
            self.remembered = remembered(pid, [CANARY, *self.secrets.values(), *dict(self.passwords.values()).values()])
        except PermissionError:
            self.remembered = None

    def files_with(self, secret):
        """Name the files that have a secret; all of the database is one."""
        found = files_with(self.stack.home.root, secret)
        return found | ({DATABASE} if files_with(self.folder, secret) else set())


def _passwords(home):
    found = {}
    for file in home.etc.glob("mininova*.conf"):
        parser = configparser.RawConfigParser(strict=False)
        parser.read(file)
        parts = urlsplit(parser["DEFAULT"]["transport_url"])
        found[f"etc/{file.name}"] = unquote(parts.username), unquote(parts.password)
    return found


def _signature(token):
    """Give the part of a token that proves it."""
    return token.rpartition(".")[2]


@pytest.fixture(scope="module")
def story(make_stack, tmp_path_factory):
    """Tell it from its beginning to its end."""
    folder, elsewhere = tmp_path_factory.mktemp("database"), tmp_path_factory.mktemp("tap")
    planted = "planted-password-of-the-database"
    url = f"sqlite:///file:{folder / 'cloud.sqlite'}?uri=true&password={planted}"
    stack = make_stack(COMPUTES="1", BOOT="0", DB_URL=url)
    started = stack.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    assert planted not in started.stdout
    with closing(Tap(stack.home.broker / "rabbitmqctl", settings.load(stack.home).broker_port, elsewhere)) as tap:
        have_a_password_renewed(stack)
        have_it_say_more(stack)
        told = Story(stack, folder)
        told.keep("the password of the database", planted)
        told.keep("the key that signs tokens", next(stack.home.root.rglob("token.key")).read_text())
        told.keep("the broker's cookie", (stack.home.broker / ".erlang.cookie").read_text())
        told.users()
        told.servers()
        told.look_at_the_compute()
        Supervisor(stack.home).stop(ours(stack))
        told.heard = list(tap.drain())
    return told


def have_a_password_renewed(stack):
    """Have the compute find, when it starts, that its password is old."""
    for file in (stack.home.etc / "mininova.conf", stack.home.etc / f"mininova-compute-{HOST}.conf"):
        file.write_text(f"{file.read_text()}\n[identities]\ncredential_lifetime = 200\n")
    _, configured = _passwords(stack.home)[f"etc/mininova-compute-{HOST}.conf"]
    kept = stack.home.root / KEPT
    kept.touch(mode=0o600)
    kept.write_text(json.dumps({"passwords": [configured], "proven": True}))


def _renewed(home):
    """Wait until the compute has logged in with a password that it made up, and give what it keeps."""
    looks = openstack.utils.iterate_timeout(60, "the compute has not renewed its password", wait=0.2)
    seen = (json.loads((home.root / KEPT).read_text()) for _ in looks)
    return next(kept for kept in seen if kept["proven"] and kept.get("hashed"))


def ours(stack):
    """Name the programs of a stack that are mininova's."""
    return [name for name in stack.pids() if name.startswith("mininova-")]


def have_it_say_more(stack):
    """Have every service start again, with all in its log that it can say."""
    for file in stack.home.etc.glob("mininova*.conf"):
        text = file.read_text()
        if "[DEFAULT]" in text:
            more = "\n[oslo_messaging_notifications]\ndriver = messaging\ndriver = log\n"
            file.write_text(text.replace("[DEFAULT]", "[DEFAULT]\ndebug = true") + more)
    supervisor, names = Supervisor(stack.home), ours(stack)
    supervisor.stop(names)
    with Readiness(stack.home.run, names) as ready:
        for _ in ready.wait(supervisor.start(names), DEADLINE):
            pass


# ---- first, that a secret would be found


def test_what_is_no_secret_is_found_everywhere(story):
    """The name of a server is in every place that is searched here: so a secret would be found in each of them."""
    told = [heard for heard in story.heard if has(heard.all, CANARY)]

    assert {heard.where for heard in told if heard.how == "deliver"} >= {"conductor", f"compute.{HOST}"}
    assert {heard.where for heard in told if heard.how == "publish"} >= {"mininova", "mininova.flow"}
    assert any("notifications.info" in heard.routing_keys for heard in told)
    files = story.files_with(CANARY)
    assert files >= {DATABASE, "log/mininova-conductor.log", f"log/mininova-compute-{HOST}.log"}
    assert any(file.startswith("flow/services/requests/") for file in files)
    assert story.remembered is None or CANARY in story.remembered


@pytest.mark.parametrize("written", [lambda b: b, base64.b64encode, lambda b: base64.b64encode(b"x" + b), bytes.hex])
def test_a_secret_is_found_in_any_form(written):
    """In base64 it begins at any place."""
    text = written(b"before " + b"tell-nobody" + b" after")

    assert has(text.encode() if isinstance(text, str) else text, "tell-nobody")
    assert not has(b"tell-somebody", "tell-nobody")


def test_every_secret_was_planted(story):
    """The table and the story speak of the same secrets, and no two are the same."""
    assert story.secrets.keys() == SECRETS.keys()
    assert len(set(story.secrets.values())) == len(SECRETS)


# ---- then, that none is where it should not be


@each_secret
def test_no_message_has_it(story, secret):
    """No message on the broker has a secret in its body, its headers or its routing key."""
    assert [(heard.how, heard.where) for heard in story.heard if has(heard.all, story.secrets[secret])] == []


@each_secret
def test_no_file_has_it_but_those_that_must(story, secret):
    """Logs, the record of the flow, the broker's files, a compute's folder and the database: only a few may have it."""
    found, allowed = story.files_with(story.secrets[secret]), SECRETS[secret]
    of_the_controller = {file for file in found if "etc/mininova.conf" in allowed and _is_a_controllers(file)}

    assert found - of_the_controller <= allowed
    assert found or not allowed


def _is_a_controllers(file):
    return re.fullmatch(r"etc/mininova(?!-compute)[a-z-]*\.conf", file) is not None


@each_secret
def test_a_compute_shows_none(story, secret):
    """Its command line, its environment and the files that it has open have none of them."""
    assert [place for place, data in story.shown.items() if has(data, story.secrets[secret])] == []


def test_a_compute_remembers_none(story):
    """Not one of them is anywhere in its memory."""
    if story.remembered is None:
        pytest.skip("Linux lets nobody look into a process here (kernel.yama.ptrace_scope)")
    assert [name for name, secret in story.secrets.items() if secret in story.remembered] == []


def test_what_a_user_calls_a_secret_is_in_no_log(story):
    """Metadata go to the server's host and into notifications; under such a name, they go into no log and no flow."""
    files = story.files_with(METADATUM)

    assert DATABASE in files
    assert any(heard.where == f"compute.{HOST}" for heard in story.heard if has(heard.all, METADATUM))
    assert [file for file in files if file.startswith(("log/", "flow/"))] == []


def test_a_context_has_who_asked_and_nothing_to_ask_with(story):
    """What travels beside a request is what RequestContext has: neither a token nor a password is among it."""
    found = {name for heard in story.heard for name in heard.payload if name.startswith("_context_")}

    assert "_context_user_id" in found
    assert found <= {f"_context_{name}" for name in RequestContext.__struct_fields__}
    assert not [name for name in RequestContext.__struct_fields__ if re.search("token|password|secret|catalog", name)]


def test_what_is_refused_is_not_kept(story):
    """The database has no row for a server that was refused, and the fault of one that failed quotes nothing secret."""
    (file,) = story.folder.glob("*.sqlite")
    with closing(sqlite3.connect(file)) as database:
        names = [name for (name,) in database.execute("SELECT display_name FROM instances")]

    assert sorted(names) == [CANARY, "lost"]


# ---- the passwords of services at the broker


def test_a_services_password_is_its_own(story):
    """Each service has a broker user, whose password is in its own file, and in the list that makes these files."""
    users = dict(story.passwords.values())

    assert len(set(users.values())) == len(users) >= len(story.passwords)
    for file, (user, password) in story.passwords.items():
        assert story.files_with(password) - {"secrets.json", KEPT} == {file}, user


def test_a_renewed_password_is_with_its_compute_alone(story):
    """It is in the file in which the compute keeps it, and in no message, log or file of another."""
    password = story.renewed["passwords"][0]

    assert story.files_with(password) == {KEPT}
    assert [heard.where for heard in story.heard if has(heard.all, password)] == []


def test_what_a_broker_keeps_of_a_password_is_in_no_log(story):
    """It travels to a conductor in a message, and neither the log nor the flow shows it."""
    hashed = story.renewed["hashed"]

    places = {heard.where for heard in story.heard if has(heard.all, hashed)}
    assert places >= {f"mininova.from.compute.{HOST}", f"conductor.from.compute.{HOST}"}
    found = story.files_with(hashed)
    assert found >= {DATABASE, KEPT}
    assert [file for file in found if file.startswith(("log/", "flow/", "etc/"))] == []


def test_a_compute_knows_its_own_password_alone(story):
    """None of the others is in what it shows, or in its memory."""
    own = story.passwords[f"etc/mininova-compute-{HOST}.conf"]
    others = {password for _, password in story.passwords.values()} - {own[1]}

    assert len(others) >= 4
    assert [place for place, data in story.shown.items() if any(has(data, password) for password in others)] == []
    assert not others & (story.remembered or set())


def test_no_message_has_a_services_password(story):
    """They are for the broker alone, which keeps only their hashes."""
    for user, password in story.passwords.values():
        assert [heard.where for heard in story.heard if has(heard.all, password)] == [], user


def test_files_with_secrets_are_for_one_user_only(story):
    """A file with a secret in it can be read by its owner only, even when another user gets into the folder."""
    secrets = [*story.secrets.values(), *dict(story.passwords.values()).values(), *story.renewed["passwords"]]
    files = {file for secret in secrets for file in story.files_with(secret)} - {DATABASE}
    paths = [story.stack.home.root / file for file in files] + [*story.folder.iterdir()]

    assert [str(path) for path in paths if Path(path).stat().st_mode & 0o077] == []
