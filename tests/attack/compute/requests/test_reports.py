"""Reporting what is not so: another host, more room, an operator's word."""

import pytest

from tests.fixtures.taken_over import changed, own_object

REPORT = "report_state"


@pytest.fixture
def report(attacker, service, node):
    """Give a function that sends a heartbeat with some things changed."""

    def report(of_service={}, of_node={}):
        return attacker.ask(REPORT, {"service": changed(service, **of_service), "node": changed(node, **of_node)})

    return report


@pytest.mark.parametrize("host", ["host-2", "host-1.annex", "host-9", "ctl-1", "HOST-1", ""])
@pytest.mark.parametrize("both", [True, False], ids=["both", "node-alone"])
def test_another_host(report, observe, host, both):
    """Registers as another host, one that exists or one that does not."""
    with observe():
        report({"host": host} if both else {}, {"host": host, "hypervisor_hostname": host})


@pytest.mark.parametrize(
    "lie",
    [{"host": "host-2"}, {"task_name": "another"}, {"state": "LOST"}, {"message": "x" * 256},
     {"period_ending": "2099-01-01T01:00:00Z"},
     {"period_beginning": "1999-01-01T00:00:00Z", "period_ending": "1999-01-01T01:00:00Z"}],
    ids=["another", "task", "state", "long", "to-come", "long-over"],
)  # fmt: skip
def test_a_log_of_usage(attacker, observe, lie):
    """Says that another host has told its usage, or writes of periods that are none, more and more."""
    said = {"host": "host-1", "period_beginning": "2099-01-01T00:00:00Z", "period_ending": "2099-01-01T01:00:00Z"}
    with observe("host-2" if "host" in lie else "host-1"):
        attacker.ask("record_task_log", {"task_log": own_object("TaskLog", **{**said, **lie})}, version="1.1")


@pytest.mark.parametrize("name", ["host-2", "host-1.annex"])
def test_anothers_hypervisor(report, observe, name):
    """Gives its hypervisor the name of another host's."""
    with observe():
        report({}, {"hypervisor_hostname": name})


@pytest.mark.parametrize("what", [{"binary": "nova-conductor", "topic": "conductor"}, {"binary": "nova-scheduler"},
                                  {"topic": "scheduler"}, {"binary": "anything"}], ids=str)  # fmt: skip
def test_another_service(report, observe, what):
    """Registers as another kind of service."""
    with observe():
        report(what)


@pytest.mark.parametrize(
    "versions",
    [{"conductor": "0.1"}, {"scheduler": "0.1"}, {"compute": "1.0", "conductor": "1.0"}, {"anything": "1.0"},
     {"compute": "no version"}, {"compute": " ".join(["1.0"] * 20)}, {f"o{n}": "1.0" for n in range(5000)}],
    ids=["conductor", "scheduler", "one-of-two", "unknown", "no-version", "long", "many"],
)  # fmt: skip
def test_versions_of_others(report, observe, versions):
    """Registers versions of interfaces that are not a compute's, so that all others speak older ones, or none."""
    with observe():
        report({"versions": versions})


@pytest.mark.sees("the report is taken, and what the operator said stays")
@pytest.mark.parametrize("what", [{"disabled": False}, {"disabled": True}, {"forced_down": True},
                                  {"report_count": 2**31}, {"id": 1}, {"uuid": "another"}], ids=str)  # fmt: skip
def test_an_operators_word(report, observe, what):
    """Says of its service what only an operator decides: enabled, forced down."""
    with observe():
        report(what)


@pytest.mark.sees("the report is taken, and what is above the operator's record is not")
@pytest.mark.parametrize(
    "room",
    [{"vcpus": 10**6}, {"memory_mb": 2**30}, {"local_gb": 2**30}, {"cpu_allocation_ratio": 1e9},
     {"ram_allocation_ratio": 1e8}, {"disk_allocation_ratio": 1000.0}],
    ids=str,
)  # fmt: skip
def test_a_huge_capacity(attacker, report, observe, room):
    """Reports a huge capacity, or a ratio that multiplies it, so that servers are placed on it."""
    ((name, value),) = room.items()
    with observe.listed(attacker.user, REPORT, f"its {name} may be", f"and it says {value}"):
        report({}, room)


@pytest.mark.parametrize("room", [{"memory_mb": 2**40}, {"vcpus": 2**62}, {"ram_allocation_ratio": 1e308}], ids=str)
def test_an_endless_capacity(report, observe, room):
    """Reports more room than any machine has, which no database can hold."""
    with observe():
        report({}, room)


@pytest.mark.sees("the report is taken, and what is not a compute's to say is not")
@pytest.mark.parametrize(
    "what",
    [{"local_gb_used": 0}, {"id": 1}, {"uuid": "another"}, {"traits": ["CUSTOM_GOLD"]}, {"aggregates": ["gold"]}],
    ids=str,
)
def test_what_weighs_more(report, observe, what):
    """Reports less use than there is, or properties that a host does not have."""
    with observe():
        report({}, what)


@pytest.mark.sees("the report is taken, and what is not recorded of the host is not")
@pytest.mark.parametrize(
    "what", [{"cpu_info": {"traits": ["GOLD"]}}, {"image_properties": {"hw_architecture": ["s390x"]}}], ids=str
)
def test_what_draws_special_servers(attacker, report, node, observe, what):
    """Reports traits of its processors, and images that it can run, which draw special servers to it."""
    ((name, more),) = what.items()
    known = node["versioned_object.data"][name]
    said = known | {key: [*known.get(key, []), *values] for key, values in more.items()}
    with observe.listed(attacker.user, REPORT, *more, "which is not recorded of it"):
        report({}, {name: said})


@pytest.mark.sees("the report is taken, and its zone stays")
@pytest.mark.parametrize("zone", ["gold", "internal", ""])
def test_a_zone(attacker, report, observe, zone):
    """Puts itself into another availability zone, to draw the servers of that zone."""
    with observe.listed(attacker.user, REPORT, "its zone is", f"and it says {zone};"):
        report({"availability_zone": zone})


@pytest.mark.parametrize("room", [{"vcpus": -1}, {"memory_mb": -1}, {"local_gb": -(2**63)}, {"vcpus": 1.5},
                                  {"cpu_allocation_ratio": -1.0}, {"ram_allocation_ratio": 0.0}, {"vcpus_used": -1000},
                                  {"memory_mb_used": -(2**40)}, {"running_vms": -5}], ids=str)  # fmt: skip
def test_room_that_cannot_be(report, observe, room):
    """Reports less than nothing, or a fraction."""
    with observe():
        report({}, room)
