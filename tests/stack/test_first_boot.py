"""The first start of mininova, as a new user sees it."""

import re
from pathlib import Path

from tests.fixtures.local_stack import run


def position(text, pattern):
    """Give where a pattern begins in a text; it must be there."""
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"{pattern!r} is not in:\n{text}"
    return found.start()


def test_each_step_is_a_line_in_order(local_stack):
    """The start prints each step when it is done, in order, and ends with commands to try."""
    steps = [
        r"^ +[\d.]+ s  database: mininova\.sqlite",
        r"^ +[\d.]+ s  RabbitMQ: a node of its own, on 127\.0\.0\.1:\d+",
        r"^ +[\d.]+ s  up: .*mininova-compute-host-1, mininova-compute-host-2",
        r"^ +[\d.]+ s  server first-boot is ACTIVE, 10\.0\.",
        r"^The flow of that boot:",
        r"^mininova is up at http://127\.0\.0\.1:\d+\.  What to try next:",
    ]
    positions = [position(local_stack.first_output, step) for step in steps]

    assert positions == sorted(positions)


def test_the_flow_of_the_boot_is_shown_message_by_message(local_stack):
    """The flow goes from the client over api, conductor and scheduler to a compute and back, one
    line for each message.
    """
    arrows = [
        r"client +→ api +http +POST /v2\.1/servers .*202",
        r"api +→ conductor +cast +build_instances \d",
        r"conductor +→ scheduler +call +select_destinations \d",
        r"scheduler +→ conductor +reply +select_destinations",
        r"conductor +→ compute\.host-\d +cast +build_instance \d",
        r"compute\.host-\d +→ notifications +notification +compute\.instance\.create\.start",
        r"compute\.host-\d +→ conductor +call +update_instance \d.*spawning → active",
        r"compute\.host-\d +→ notifications +notification +compute\.instance\.create\.end",
    ]
    positions = [position(local_stack.first_output, arrow) for arrow in arrows]

    assert positions == sorted(positions)


def test_the_logs_tell_of_the_boot_under_its_request(local_stack):
    """The request's id, which a user may name to an operator, finds its lines in the log of each service."""
    (request_id,) = re.findall(r"^(req-\S+) +POST", local_stack.first_output, re.MULTILINE)
    told = "".join(local_stack.home.log(f"mininova-{name}").read_text() for name in ("api", "scheduler"))
    for line in ("creating 1 instance(s)", "scheduler chooses host-"):
        assert re.search(rf" \[{request_id}\] {re.escape(line)}", told), line


def test_the_suggested_commands_work(local_stack):
    """The commands that the start suggests start in a shell that has sourced openrc, and work."""
    assert "first-boot" in in_shell(local_stack, "openstack server list")
    assert "POST /v2.1/servers" in in_shell(local_stack, "mininova-flow list")
    assert "build_instances" in in_shell(local_stack, "mininova-flow show first-boot")
    assert "nova-conductor" in in_shell(local_stack, "mininova-manage service list")


def in_shell(stack, command):
    """Run a command in a shell that has sourced openrc, and give what it prints."""
    done = run(["bash", "-ec", f". {stack.home.openrc}; {command}"], stack.environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_openrc_serves_both_users(local_stack):
    """After openrc a command can name the other cloud, and ``openrc admin`` makes the shell the admin's."""
    for command, user in (
        ("openstack --os-cloud mininova-admin hypervisor list", ""),
        ("openstack hypervisor list", "admin"),
    ):
        done = local_stack.typed(command, user=user)
        assert (done.returncode, "host-1" in done.stdout) == (0, True), done.stderr


def test_the_files_of_the_start_are_private(local_stack):
    """Other users cannot read the files with passwords."""
    home = local_stack.home
    for path in (home.openrc, home.clouds, home.root / "secrets.json", *home.etc.glob("mininova*.conf")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_each_service_is_its_own_broker_user(local_stack):
    """Each service has its own user and only the rights that it needs, and guest does not exist."""
    connected = local_stack.sh("rabbitmqctl", "--quiet", "list_connections", "user").stdout.split()[1:]
    connected.remove("flow")  # what collects it and what shows it are one user
    assert {"api", "compute.host-1", "compute.host-2", "conductor", "flow", "scheduler"} <= set(connected)
    assert len(connected) == len(set(connected))
    listing = 'io:format("~p~n", [rabbit_auth_backend_internal:list_users()]).'  # list_users takes an Erlang of its own
    users = local_stack.sh("rabbitmqctl", "--quiet", "eval", listing).stdout
    assert ("compute.host-1" in users, "guest" in users) == (True, False)
    checked = local_stack.tool("mininova-manage", "check")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_threads_are_of_the_configured_kind(local_stack, request):
    """The kernel sees several native threads in each service; with green ones, only in one that has work done aside."""
    services = {name: pid for name, pid in local_stack.pids().items() if name.startswith("mininova-")}
    del services["mininova-manage-watch"]  # it does one thing at a time
    several = {name for name, pid in services.items() if len(list(Path(f"/proc/{pid}/task").iterdir())) > 1}
    assert {"mininova-api", "mininova-scheduler", "mininova-conductor", "mininova-compute-host-1"} <= services.keys()
    if request.config.getoption("--concurrency") == "threads":
        assert several == set(services)
    else:
        # The api has checked a password aside; a conductor may have written an image, if a test before made one.
        assert several - {"mininova-conductor"} == {"mininova-api"}


def test_no_service_is_refused_anything_in_peace(local_stack):
    """The broker refuses a service nothing that it does by itself."""
    assert "ACCESS_REFUSED" not in local_stack.home.log("rabbitmq").read_text()
