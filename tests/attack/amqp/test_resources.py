"""Reporting what is not so: another host, more room, an operator's word."""

import pytest

from tests.fixtures.taken_over import changed

REPORT = "report_state"


@pytest.fixture
def report(attacker, service, node):
    """Give a function that sends a heartbeat with some things changed."""

    def report(of_service={}, of_node={}):
        return attacker.ask(REPORT, {"service": changed(service, **of_service), "node": changed(node, **of_node)})

    return report


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize("host", ["host-2", "host-1.annex", "host-9", "ctl-1", "HOST-1", ""])
@pytest.mark.parametrize("both", [True, False], ids=["both", "node-alone"])
def test_another_host(report, refused, host, both):
    """Registers as another host, one that there is or one that there is not."""
    refused.by_conductor(report({"host": host} if both else {}, {"host": host}), REPORT)


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize("name", ["host-2", "host-1.annex"])
def test_anothers_hypervisor(report, refused, name):
    """Calls its hypervisor as another's is called."""
    refused.by_conductor(report({}, {"hypervisor_hostname": name}), REPORT)


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize("what", [{"binary": "nova-conductor", "topic": "conductor"}, {"binary": "nova-scheduler"},
                                  {"topic": "scheduler"}, {"binary": "anything"}], ids=str)  # fmt: skip
def test_another_service(report, refused, what):
    """Registers as another kind of service."""
    refused.by_conductor(report(what), REPORT)


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize(
    "versions",
    [{"conductor": "0.1"}, {"scheduler": "0.1"}, {"compute": "1.0", "conductor": "1.0"}, {"anything": "1.0"},
     {"compute": "no version"}, {"compute": "1" * 500}, {f"o{n}": "1.0" for n in range(5000)}],
    ids=["conductor", "scheduler", "one-of-two", "unknown", "no-version", "long", "many"],
)  # fmt: skip
def test_versions_of_others(report, refused, versions):
    """Registers versions of interfaces that are not a compute's, so that all others speak older ones, or none."""
    refused.by_conductor(report({"versions": versions}), REPORT)


@pytest.mark.attack(refused_by="nobody", sees="the report is taken, and what the operator said stays")
@pytest.mark.parametrize("what", [{"disabled": False}, {"disabled": True}, {"forced_down": True},
                                  {"report_count": 2**31}, {"id": 1}, {"uuid": "another"}], ids=str)  # fmt: skip
def test_an_operators_word(report, refused, what):
    """Says of its service what an operator alone says: enabled, forced down."""
    _is_without_effect(report(what), refused)


@pytest.mark.attack(refused_by="conductor", sees="the report is taken, and what is above the operator's record is not")
@pytest.mark.parametrize(
    "room",
    [{"vcpus": 10**6}, {"memory_mb": 2**30}, {"local_gb": 2**30}, {"cpu_allocation_ratio": 1e9},
     {"ram_allocation_ratio": 1e8}, {"disk_allocation_ratio": 1000.0}],
    ids=str,
)  # fmt: skip
def test_a_huge_capacity(report, refused, room):
    """Reports a huge capacity, or a ratio that makes much of little, so that servers are placed on it."""
    ((name, value),) = room.items()
    refused.in_part_by_conductor(report({}, room), REPORT, f"its {name} may be", f"and it says {value}")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize("room", [{"memory_mb": 2**40}, {"vcpus": 2**62}, {"ram_allocation_ratio": 1e308}], ids=str)
def test_an_endless_capacity(report, refused, room):
    """Reports more room than any machine has, which no database can hold."""
    refused.by_conductor(report({}, room), REPORT)


@pytest.mark.attack(refused_by="conductor", sees="the report is taken, and what is not a compute's to say is not")
@pytest.mark.parametrize(
    "what",
    [{"vcpus_used": -1000}, {"memory_mb_used": -(2**40)}, {"local_gb_used": 0}, {"running_vms": -5}, {"id": 1},
     {"uuid": "another"}, {"traits": ["CUSTOM_GOLD"]}, {"aggregates": ["gold"]}],
    ids=str,
)  # fmt: skip
def test_what_weighs_more(report, refused, what):
    """Reports less use than there is, or properties that there are not."""
    _is_without_effect(report({}, what), refused, "conductor")


@pytest.mark.attack(refused_by="conductor", sees="the report is taken, and what is not recorded of the host is not")
@pytest.mark.parametrize(
    "what", [{"cpu_info": {"traits": ["GOLD"]}}, {"image_properties": {"hw_architecture": ["s390x"]}}], ids=str
)
def test_what_draws_special_servers(report, node, refused, what):
    """Reports traits of its processors, and images that it can run, which draw special servers to it."""
    ((name, more),) = what.items()
    known = node["versioned_object.data"][name]
    said = known | {key: [*known.get(key, []), *values] for key, values in more.items()}
    refused.in_part_by_conductor(report({}, {name: said}), REPORT, *more, "which is not recorded of it")


@pytest.mark.attack(refused_by="conductor", sees="the report is taken, and its zone stays")
@pytest.mark.parametrize("zone", ["gold", "internal", ""])
def test_a_zone(report, refused, zone):
    """Puts itself into another availability zone, to draw the servers of that zone."""
    refused.in_part_by_conductor(report({"availability_zone": zone}), REPORT, "its zone is", f"and it says {zone};")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`, or an error that says what is wrong")
@pytest.mark.parametrize("room", [{"vcpus": -1}, {"memory_mb": -1}, {"local_gb": -(2**63)}, {"vcpus": 1.5},
                                  {"cpu_allocation_ratio": -1.0}, {"ram_allocation_ratio": 0.0}], ids=str)  # fmt: skip
def test_room_that_cannot_be(report, refused, room):
    """Reports less than nothing, or a fraction."""
    answer = report({}, room)
    assert answer.failure is None or answer.error in ("Forbidden", "InvalidArguments"), answer
    refused.seen.add("conductor")


def _is_without_effect(answer, refused, by="nobody"):
    """The report is refused, or taken without what it may not say; that nothing has changed, ``unchanged`` sees."""
    assert answer.failure is None or answer.error in ("Forbidden", "InvalidArguments"), answer
    refused.seen.add(by)
