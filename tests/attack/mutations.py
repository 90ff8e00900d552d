"""Break each guard once, and see which test fails: a program, which pytest does not collect.

    .venv/bin/python tests/attack/mutations.py [WORD…]

Each row of the table names a guard, the text in the code that is the guard, what stands there when it is broken, and
the tests of which one must fail then.  The program works in copies of the last commit (git worktrees), so nothing of
yours is changed.  A stack would run the code of the checkout, so all of the tests chosen run in one process, or need a
broker only.  With words it tries the guards only that have one of them in their name or file.  It prints the table
of README.md, and ends with 1 if a guard was broken and no test failed.
"""

import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIES = 2  # that are worked in at a time
LONGEST_S = 300.0

CREDENTIALS = "mininova/conductor/credentials.py"
CHECKS, BY_ROW = "mininova/conductor/checks/arguments.py", "mininova/conductor/manager.py"
GATE, REPLIES, INSTANCES = "mininova/rpc/trust/gate.py", "mininova/trust/replies.py", "mininova/db/instances.py"
HELD, BOUNDS = "mininova/manage/broker_watch.py", "mininova/trust/broker/definitions.py"
RIGHTS, SERVER, TOKENS = "mininova/trust/broker/rights.py", "mininova/rpc/server.py", "mininova/standins/keystone"
FRAMES, PASSWORDS = "mininova/rpc/transports/amqp/frames.py", f"{TOKENS}/passwords.py"
RECONCILE, AUDIT = "mininova/compute/reconcile.py", "mininova/db/audit.py"


def requests(*names: str) -> tuple[str, ...]:
    """Choose attacks that are requests, in memory."""
    return (*(f"tests/attack/compute/requests/test_{name}.py" for name in names), "-k", "memory- or memory]")


A_MIGRATION = ("tests/attack/compute/requests/test_a_migration.py",)  # which is in memory only
EACH_STEP = ("tests/attack/compute/requests/test_each_step.py",)  # likewise


def rest(name: str, *words: str) -> tuple[str, ...]:
    """Choose attacks on the REST APIs, in one process: a module, or those of its tests that a word names."""
    return (f"tests/attack/rest/test_{name}.py", *(("-k", *words) if words else ()))


def wire(name: str) -> tuple[str, ...]:
    """Choose tests of the wire, over the broker in memory."""
    return (f"tests/wire/test_transport_{name}.py", "-k", "memory")


OTHERS, OWN, REPORTS = requests("others_instances"), requests("own_instance"), requests("reports")
MESSAGES, PAST = requests("messages"), requests("past_the_broker")
IN_FRAMES, LOGINS = ("tests/rpc/transports/amqp/test_frames.py",), ("tests/unit/standins/keystone/test_passwords.py",)
RECONCILED = ("tests/unit/compute",)
AUDITED = ("tests/unit/db/test_audit.py", "-k", "not postgresql and not mariadb")
WATCH = ("tests/unit/manage/test_manage_broker_watch.py",)
ON_A_BROKER = ("tests/wire/test_broker_rights.py",)


@dataclass(frozen=True)
class Mutation:
    """One guard, and how it is broken.

    :param file: where it lives
    :param old: the text that is replaced, which is there once
    :param tests: what pytest is to run, of which a test must fail
    """

    guard: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTATIONS = [
    Mutation(*row)
    for row in [
        # What a compute may say in a message.
        ("the host is one of the caller's", CHECKS, 'return "" if host in identity.hosts', 'return "" if True', OTHERS),
        ("the numbers of an object are possible", "mininova/objects/base.py",
         "Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]", "Count = int", OWN),
        ("the code of a fault is known", "mininova/objects/instance.py", "Annotated[int, Meta(ge=100, le=599)]", "int",
         ("tests/unit/objects",)),
        ("a report is of a compute", CHECKS, "if (service.binary, service.topic) != (BINARY, ComputeAPI.topic)",
         "if False", REPORTS),
        ("a report is of one host", CHECKS, "if service.host != node.host", "if False", REPORTS),
        ("a hypervisor has its host's name", CHECKS, 'return "" if name == node.host', 'return "" if True', REPORTS),
        ("versions are of a compute's interfaces", CHECKS, "if name != ComputeAPI.topic and not", "if False and not",
         REPORTS),
        ("versions are short", CHECKS, "if len(said) > LONGEST_VERSION or not", "if not", REPORTS),
        ("versions are versions", CHECKS, "return False\n    return True", "return True\n    return True", REPORTS),
        ("versions are few", CHECKS, "if len(versions) > MOST_VERSIONS", "if False", ("tests/unit/conductor/checks",)),
        ("a ratio of a report is possible", "mininova/objects/service.py",
         "Ratio = Annotated[float, Meta(ge=0.01, le=2**31 - 1)]", "Ratio = float", REPORTS),
        ("a host clears what left it", "mininova/db/networks.py", "_wait_no_more = delete_from(table).where(_waits)",
         "_wait_no_more = delete_from(table)", ("tests/unit/db/test_networks.py",)),
        ("a host clears what a migration left on it", "mininova/db/server_migrations.py", "update(table).where(_left)",
         "update(table)", ("tests/cloud/test_evacuation.py",)),
        ("a step is the caller's", CHECKS, 'return _own(identity, host_of(arguments["migration"]))', 'return ""',
         A_MIGRATION),
        ("a step is the one that is due", "mininova/conductor/migrate.py", " or _which(migration) != _which(seen)", "",
         A_MIGRATION),
        ("the row says what a migration is", "mininova/conductor/migrate.py", "return instance, migration, operation",
         "return instance, seen, operation", A_MIGRATION),
        ("a power state is one", CHECKS, 'return "" if state in states.POWER_STATES', 'return "" if True',
         A_MIGRATION),
        ("no host moves a migration on", "mininova/states.py", 'NO_UPDATES = frozenset({"delete"}) | MIGRATIONS',
         'NO_UPDATES = frozenset({"delete"})', A_MIGRATION),
        ("no host ends a migration of which another's step is due", "mininova/conductor/manager.py",
         "if operation in states.MIGRATIONS:", "if False:", EACH_STEP),
        ("a host that failed ends no evacuation", "mininova/conductor/manager.py",
         "if recorded is not None and recorded.operation in states.MIGRATIONS:", "if False:",
         ("tests/cloud/test_evacuation.py",)),
        ("a host clears few at a time", CHECKS, "if len(cleared) > MOST_DEPARTED", "if False", OTHERS),
        ("a report is short", CHECKS, "if len(msgspec.json.encode(reported)) <= LONGEST_REPORT", "if True",
         ("tests/unit/conductor/checks",)),
        ("a report is kept to the record", "mininova/conductor/checks/reports.py", "if self._checked:", "if False:",
         REPORTS),
        ("an operator's word stays", "mininova/conductor/checks/reports.py", 'said, beyond = _its_own(service), ""',
         'said, beyond = service, ""', ("tests/unit/conductor/checks",)),
        ("what a host may offer outlives its removal", "mininova/manage/identities.py",
         "networks.forget(tx, host)", 'networks.forget(tx, host), tx.exec_driver_sql("DELETE FROM host_limits")',
         requests("anew")),
        ("what a host may offer outlives its service", "mininova/api/handlers/services.py",
         "hosts.delete(tx, host)", 'hosts.delete(tx, host), tx.exec_driver_sql("DELETE FROM host_limits")',
         requests("anew")),
        ("the hash of a password has its form", CHECKS, 'if HASH.fullmatch(arguments["password_hash"]) else',
         "if True else", requests("a_password")),
        ("a password that is replaced is named", CREDENTIALS, "if now_has != instead_of or", "if",
         ("tests/unit/conductor/test_credentials.py",)),
        ("a password that is new is kept", CREDENTIALS, "if now_has and left > timedelta(0)", "if False",
         requests("a_password")),
        ("the broker has the password that is recorded last", CREDENTIALS, "if self._recorded(name) == wanted:",
         "if True:", ("tests/unit/conductor/test_credentials.py",)),
        # Who may call.
        ("who may call a method", GATE, "if identity.kind not in method.by", "if False", ("tests/rpc/trust",)),
        ("the caller is known", GATE, 'if identity is None:\n            return "its identity is not known here"',
         'if identity is None:\n            return ""', PAST),
        ("each method has checks", "mininova/trust/gate.py", 'return "no check says what a compute may send in it"',
         'return ""', ("tests/unit/trust",)),
        ("a removed compute is forgotten", "mininova/trust/directory.py", "self._clock() - self._read_at < LIFETIME",
         "True", PAST),
        ("a sender is required", "mininova/trust/identities.py", "if name is None:\n        return None",
         'if name is None:\n        return trusted("api")', PAST),
        ("a lane is its sender's", "mininova/rpc/trust/lanes.py",
         "if is_lane(message.exchange, exchange) and message.exchange", "if False and message.exchange",
         wire("lanes")),
        ("a forwarded message does not count", "mininova/rpc/trust/callers.py", "if queue is not None and not",
         "if False and not", ("tests/rpc/trust",)),
        ("only a relay names the first sender", "mininova/rpc/trust/callers.py",
         "relayed = message.user_id in self._believed", "relayed = True", requests("identity")),
        # What the statement that writes compares.
        ("the row's host, in an update", INSTANCES, "    if host:\n", "    if False:\n", OTHERS),
        ("the row's generation", INSTANCES, "    if generation:\n", "    if False:\n", OWN),
        ("the row's states, as the host has seen them", INSTANCES, "    if seen:\n", "    if False:\n", OWN),
        ("the row's task_state", INSTANCES, "    if task_states is not None:\n", "    if False:\n", OWN),
        ("the row's host, in a delete", INSTANCES, '_change.where(table.c.host == bindparam("if_host"), ',
         "_change.where(", requests("a_command")),
        ("a delete that was asked for", INSTANCES, ", table.c.task_state == states.DELETING)", ")", OWN),
        ("the row's host, in a read", INSTANCES, "if hosts is not None and instance.host not in hosts", "if False",
         OTHERS),
        ("states follow from the operation", BY_ROW, "if reason := states.unlawful(operation, written)",
         "if (reason := states.unlawful(operation, written)) and False", OWN),
        ("the operation exists", BY_ROW, "if operation not in states.OPERATIONS", "if False", OWN),
        ("the moment is possible", BY_ROW, "if not self.own.checked or at is None", "if True or at is None",
         requests("a_build")),
        ("no uuid is found by trying", "mininova/conductor/checks/own_instances.py",
         "if hosts is not None and (where := self._elsewhere(uuid, hosts))", "if False", OTHERS),
        ("a known row is no race", "mininova/conductor/checks/own_instances.py", "if self.checked and conflict",
         "if False and conflict", OWN),
        ("a late rejection is dropped", "mininova/service/rejections.py", "instance.replace(generation=generation)",
         "instance", requests("a_command")),
        # Replies.
        ("a reply is of the service that was asked", REPLIES, "if identity is None or identity.kind != topic",
         "if identity is None", ("tests/unit/trust",)),
        ("a reply is of the host that was asked", REPLIES, "return topic != COMPUTE or host in identity.hosts",
         "return True", ("tests/unit/trust",)),
        ("replies are asked about", "mininova/rpc/inbox.py",
         "if asked is not None and self._answers(asked, message.user_id)", "if True", wire("callers")),
        ("a seal is genuine", "mininova/rpc/trust/seal.py", "return asked if genuine else None", "return asked",
         wire("callers")),
        ("a reply goes to its caller only", SERVER, "(asked is None or asked(self.peer.sender_of(message), key))",
         "True", wire("callers")),
        ("which queues are a caller's", REPLIES, "return caller in TRUSTED or (", "return True or (",
         ("tests/unit/trust",)),
        ("a reply says whose it is", SERVER, "user_id=self.peer.transport.user_id,", "user_id=None,", OTHERS),
        ("a compute sends by its lane", "mininova/trust/processes.py", "confined=alone", "confined=False",
         ("tests/unit/trust",)),
        # Messages.
        ("a message is short", "mininova/rpc/envelope.py", "if len(body) > MAX_BODY_BYTES", "if False",
         ("tests/rpc/test_envelope.py",)),
        ("a message is not deep", "mininova/rpc/envelope.py", "UnicodeDecodeError, TypeError, RecursionError)",
         "UnicodeDecodeError, TypeError)", MESSAGES),
        ("an argument is not deep", SERVER, "except RecursionError:", "except ZeroDivisionError:", MESSAGES),
        ("what is sent is not deep", "mininova/rpc/plain.py", "    return depth > DEEPEST\n", "    return False\n",
         ("tests/rpc",)),
        ("the envelope's version", "mininova/rpc/envelope.py", "    if not known:\n", "    if False:\n", MESSAGES),
        ("a request has its form", "mininova/rpc/envelope.py", '        Version.parse(fields["version"])\n', "",
         MESSAGES),
        ("the interface's version", "mininova/rpc/endpoints.py",
         "if Version.parse(interface.version).accepts(asked)", "if True", MESSAGES),
        ("only declared methods", SERVER, "        if method is None:\n", "        if False:\n", MESSAGES),
        ("the types of arguments", "mininova/rpc/interface.py",
         "values = msgspec.convert(arguments, self.arguments)",
         "values = msgspec.convert(arguments, self.arguments, strict=False)", MESSAGES),
        # What a flood may fill.
        ("the list of denials", "mininova/db/denials.py", ">= MAX_ROWS_PER_CALLER", ">= 10**9",
         ("tests/unit/db/test_denials.py",)),
        ("the denials that wait", "mininova/conductor/checks/denials.py", "len(self._waiting) >= MOST_WAITING",
         "False", ("tests/unit/conductor/checks",)),
        ("the lines of the log", "mininova/rpc/watch/sparing.py", "if now < kind.next", "if False",
         ("tests/rpc/watch/test_sparing.py",)),
        ("the kinds of lines", "mininova/rpc/watch/sparing.py", "len(kinds) > self._most:\n            name",
         "False:\n            name", ("tests/rpc/watch/test_sparing.py",)),
        ("the connections of a compute", "mininova/trust/broker/definitions.py", "limits = MOST_OF_A_COMPUTE if",
         "limits = {} if", ("tests/unit/trust",)),
        ("what is held for a compute", HELD, "and size > MOST_HELD_BYTES:", "and False:", WATCH),
        ("what was not acknowledged", HELD,
         "elif queue.messages > SLACK * MOST_IN_A_QUEUE or queue.bytes > SLACK * MOST_BYTES_IN_A_QUEUE:", "elif False:",
         WATCH),
        ("no streams", HELD, "if queue.kind == _STREAM:\n            yield", "if False:\n            yield", WATCH),
        ("the length of a queue", BOUNDS, '"reject-publish",\n                priority=1',
         '"drop-head",\n                priority=1', ("tests/unit/trust",)),
        ("what listeners did not hear yet", BOUNDS, "most=10_000", "most=10**9", ("tests/unit/trust",)),
        ("what a compute tells all", BOUNDS, "**PACE, ", "", ("tests/unit/trust",)),
        ("how often a message was tried", FRAMES, "0 < tried <= MOST_DELIVERIES", "0 < tried", IN_FRAMES),
        ("headers are short", FRAMES, "if size > MAX_HEADERS_BYTES", "if False", IN_FRAMES),
        ("passwords that wait", PASSWORDS, "if not self._places.acquire(blocking=False):", "if False:", LOGINS),
        ("an unknown user costs a hash", PASSWORDS, "hasher.verify(password_hash or _no_user(hasher), password)",
         "bool(password_hash) and hasher.verify(password_hash or _no_user(hasher), password)",
         ("tests/unit/standins/keystone/test_authentication.py",)),
        ("passwords are compared aside", PASSWORDS, "return self._aside(work)", "return work()", LOGINS),
        ("a full server makes room", "mininova/service/concurrency/crowd.py", "if longest.owes_since < math.inf:",
         "if False:", ("tests/unit/service/test_http_crowd.py",)),
        # Guests and instances.
        ("a guest that is worked on", RECONCILE, "            if idle:\n", "            if True:\n", RECONCILED),
        ("what is under way", RECONCILE, "if instance.task_state is None:", "if True:", RECONCILED),
        ("a guest that is not gone", RECONCILE, "uuid, error)\n            return False", "uuid, error)", RECONCILED),
        # What an audit finds, and what it mends.
        ("the claim of a migration is one", AUDIT, "    .where(~_of_migration)\n", "", AUDITED),
        ("the claim of an instance without a host", AUDIT,
         ", and_(instances.c.host.is_(None), instances.c.task_state.is_(None))", "", AUDITED),
        ("a migration claims elsewhere", AUDIT, "instances.c.host != allocations.c.host, ~_moves)",
         "instances.c.host != allocations.c.host)", AUDITED),
        ("what is in ERROR claims nothing", AUDIT, ", instances.c.vm_state != states.ERROR)", ")", AUDITED),
        ("a migration may have the claim", AUDIT, "allocations.c.instance_uuid.is_(None), ~_moves)",
         "allocations.c.instance_uuid.is_(None))", AUDITED),
        ("a resized instance has a migration", AUDIT, ", instances.c.vm_state != states.RESIZED)", ")", AUDITED),
        ("an operation's own task", AUDIT, "elif task_state not in states.under_way(operation):", "else:", AUDITED),
        ("a claim that is needed by now", AUDIT, "if instance is not None and (instance.host or instance.task_state):",
         "if False:", AUDITED),
        ("an instance that has no host by now", AUDIT, "if instance is None or instance.host is None or not",
         "if instance is None or not", AUDITED),
        ("a migration that goes on by now", AUDIT,
         "if not any(uuid == it.instance for uuid, _, _ in _open_migration(tx)):", "if False:", AUDITED),
        ("an address that is used by now", AUDIT, "if _locked(tx, it.instance) is not None:", "if False:", AUDITED),
        ("an operation that goes on by now", AUDIT,
         "if not any(uuid == it.instance for uuid, _, _ in _open_for_none(tx)):", "if False:", AUDITED),
        ("a guest on its way", AUDIT, "    here |= {(host, it.instance_uuid)", "    _ = {(host, it.instance_uuid)",
         AUDITED),
        ("a guest that is worked on, in an audit", AUDIT, "        and row.task_state is None\n", "", AUDITED),
        ("a host that was not asked", AUDIT, "guests.get(row.host, (row.uuid,))", "guests.get(row.host, ())", AUDITED),
        # Rights on the broker.
        ("which exchanges are written to", RIGHTS, "*((lane,) if row.confined else shared)",
         "*((lane, *shared) if row.confined else shared)", ON_A_BROKER),
        ("which exchanges are made", RIGHTS, "*(() if row.confined else shared)", "*shared", ON_A_BROKER),
        ("which queues are made", RIGHTS, "*(() if row.confined else (reply, *by_lanes))", "reply, *by_lanes",
         ON_A_BROKER),
        ("how many pauses there are", RIGHTS, "pause\\.({_PAUSES})", "pause\\.[0-9]+", ON_A_BROKER),
        ("which keys are bound", RIGHTS, 'write="^(.+)$", read=own', 'write="^(.+)$", read="^(.+)$"', ON_A_BROKER),
        ("the flow is not heard", RIGHTS, "(reply, lane) if row.confined", "(reply, lane, flow) if row.confined",
         ON_A_BROKER),
        ("a right is for whole names", RIGHTS, 'return f"^({text})$"', 'return f"({text})"', ON_A_BROKER),
        ("a dot in a name is a dot", "mininova/trust/broker/name_pattern.py", "re.escape(character)", "character",
         ("tests/unit/trust",)),
        # The REST APIs.
        ("the policy", "mininova/api/policy.py", "if not self.allows(ctxt, rule, project_id, user_id)", "if False",
         ("tests/unit/api/test_policy.py",)),
        ("a server is its project's", "mininova/api/handlers/servers.py",
         "project_id=None if ctxt.is_admin else ctxt.project_id, deleted", "project_id=None, deleted",
         rest("others")),
        ("a flavor is its projects'", "mininova/api/handlers/flavors.py",
         "project_id=None if ctxt.is_admin else ctxt.project_id", "project_id=None",
         ("tests/unit/api/test_flavors.py",)),
        ("a body is short", "mininova/wsgi/middleware.py", "if self._left < 0", "if False", ("tests/unit/wsgi",)),
        ("a document is not deep", "mininova/wsgi/request.py", "if _is_deeper(document, MAX_JSON_LEVELS)",
         "if False", rest("bodies")),
        ("a document is of JSON", "mininova/wsgi/request.py",
         "(msgspec.DecodeError, UnicodeDecodeError, RecursionError)", "(UnicodeDecodeError,)",
         rest("bodies", "no_json")),
        ("NUL in a body", "mininova/wsgi/request.py", "if _NUL.search(raw)", "if False", rest("strings")),
        ("text in a URL", "mininova/wsgi/request.py", 'return "\\0" not in raw.decode()', "return True",
         ("tests/unit/wsgi",)),
        ("moments have an end", "mininova/wsgi/values.py", "if not MIN_MOMENT < when < MAX_MOMENT", "if False",
         rest("paths", "numbers")),
        ("a token's signature", "mininova/standins/keystone/tokens.py", '"verify_exp": False}',
         '"verify_exp": False, "verify_signature": False}', rest("tokens")),
        ("a token's end", "mininova/standins/keystone/tokens.py", "if claims.exp <= time.time():",
         "if False:", rest("tokens")),
        ("a token is not revoked", "mininova/standins/keystone/authority.py", "return not now.revoked and", "return",
         rest("tokens")),
        ("a token's roles are held", "mininova/standins/keystone/authority.py", " and held.issuperset(claims.roles)",
         "", ("tests/unit/standins/keystone",)),
        ("a client does not say who it is", "mininova/standins/keystone/middleware.py", "for key in OURS:",
         "for key in ():", ("tests/unit/standins/keystone",)),
        ("a fault is kept inside", "mininova/wsgi/faults.py", "message = str(error) if is_for_the_client",
         "message = str(error) if True", ("tests/unit/wsgi",)),
        ("a request is read in one way", "mininova/service/http_bounds.py", "return len(hosts) <= 1 and (",
         "return True or (", ("tests/unit/service/test_http_server.py",)),
        # Secrets.
        ("secrets in the flow", "mininova/rpc/watch/flow.py", '"***" if _is_secret(k) and v is not None',
         '"***" if False', ("tests/rpc/watch/test_flow.py",)),
        ("secrets in the flow are looked for", "mininova/rpc/watch/flow.py", " and not any(map(_is_secret, value))",
         "", ("tests/rpc/watch/test_flow.py",)),
        ("secrets in a fault", "mininova/service/faults.py", "return str(error) if _is_for_owners(error)",
         "return str(error) if True", ("tests/unit/service/test_faults.py",)),
        ("what owners see of a traceback", "mininova/service/faults.py", "if code == FAILURE else", "if True else",
         ("tests/unit/service/test_faults.py",)),
        ("a URL's password", "mininova/conf/values.py", 'r"\\1:***@"', 'r"\\g<0>"', ("tests/unit/conf",)),
        ("secrets in logged notifications", "mininova/rpc/notify/drivers.py",
         "without_secrets(notification.payload)", "notification.payload", ("tests/rpc/notify",)),
    ]
]  # fmt: skip


@contextmanager
def copy_of_the_tree() -> Iterator[Path]:
    """Check the last commit out beside us, as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="mininova-") as folder:
        copy = Path(folder, "tree")
        git("worktree", "add", "--quiet", "--detach", copy, "HEAD")
        try:
            yield copy
        finally:
            git("worktree", "remove", "--force", copy)


def git(*words: str | Path) -> None:
    """Run git on the project."""
    subprocess.run(["git", *words], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)


def broken(mutation: Mutation, copy: Path) -> list[str]:
    """Break a guard in a copy, run its tests, repair it, and name the first test that failed.

    :raises ValueError: when the guard is not where the table says, or the tests could not be run
    """
    file = copy / mutation.file
    text = file.read_text()
    if text.count(mutation.old) != 1:
        raise ValueError(f"{mutation.guard}: {mutation.file} has {mutation.old!r} {text.count(mutation.old)} times")
    file.write_text(text.replace(mutation.old, mutation.new))
    try:
        return failed(mutation, copy)
    finally:
        file.write_text(text)


def failed(mutation: Mutation, copy: Path) -> list[str]:
    """Run the tests of a guard, as far as the first that fails, and name that one."""
    words = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *mutation.tests]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        words, cwd=copy, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST_S
    )
    if done.returncode not in (0, 1):
        raise ValueError(f"{mutation.guard}: pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
    found = [
        line.split(" ", 1)[1] for line in done.stdout.splitlines() if line.startswith(("FAILED tests/", "ERROR tests/"))
    ]
    return [test.partition(" - ")[0] for test in found]


def row(mutation: Mutation, tests: Sequence[str]) -> str:
    """Write a row of the table."""
    how = " → ".join(f"`{' '.join(text.split())}`" if text else "nothing" for text in (mutation.old, mutation.new))
    test = f"`{tests[0].partition('[')[0]}`" if tests else "**no test failed**"
    return "| " + " | ".join(it.replace("|", "\\|") for it in (mutation.guard, f"`{mutation.file}`", how, test)) + " |"


def main(words: Sequence[str]) -> int:
    """Break the guards that have one of the words, or all of them; give 1 if a broken one went unnoticed."""
    chosen = [it for it in MUTATIONS if not words or any(word in it.guard or word in it.file for word in words)]
    print("| guard | where | broken by | the first test that fails |\n| --- | --- | --- | --- |", flush=True)
    survived = 0
    with copy_of_the_tree() as one, copy_of_the_tree() as other, ThreadPoolExecutor(COPIES) as pool:
        free = queue.SimpleQueue[Path]()
        for copy in (one, other):
            free.put(copy)

        def tried(mutation: Mutation) -> list[str]:
            copy = free.get()
            try:
                return broken(mutation, copy)
            finally:
                free.put(copy)

        for mutation, tests in zip(chosen, pool.map(tried, chosen), strict=True):
            print(row(mutation, tests), flush=True)
            survived += not tests
    print(f"\n{len(chosen)} guards were broken, and {survived} of them unnoticed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
