"""The members of a server group are placed by its policy, also when two requests for it are placed at once."""

import pytest

from mininova import errors
from mininova.db import claims, server_groups
from mininova.db.server_groups import ServerGroup
from tests.fixtures.statements import counted


@pytest.fixture
def group(db):
    """Make a group, and give the hints that name it."""

    def make(policy, **rules):
        made = ServerGroup(uuid=f"the-{policy}", name="g", project_id="demo", user_id="ann", policy=policy, rules=rules)
        with db.write() as tx:
            server_groups.create(tx, made)
        return {"group": made.uuid}

    return make


@pytest.fixture
def place(a_spec, ctxt, uuids):
    """Place new instances by a scheduler, and name the host of each."""

    def place(scheduler, count=1, **asked):
        placed = scheduler.select_destinations(ctxt, a_spec(**asked), uuids(count, **asked))
        return [first.host for first, *_ in placed]

    return place


@pytest.fixture
def three_hosts(known):
    """Register three equal hosts, each with room for two."""
    for number in (1, 2, 3):
        known(f"host-{number}")


def test_anti_affinity(scheduler, three_hosts, group, place):
    """Each member gets a host of its own, those of one request and those of the next; then there is none left."""
    hints = group("anti-affinity")
    hosts = place(scheduler, 2, scheduler_hints=hints) + place(scheduler, 1, scheduler_hints=hints)
    assert sorted(hosts) == ["host-1", "host-2", "host-3"]
    with pytest.raises(errors.NoValidHost, match="ServerGroupAntiAffinityFilter left none of 3 hosts"):
        place(scheduler, scheduler_hints=hints)


def test_some_on_each_host(scheduler, known, group, place):
    """With max_server_per_host, a host takes so many."""
    known("host-1", memory_mb=8192)
    known("host-2", memory_mb=4096)
    hosts = place(scheduler, 4, scheduler_hints=group("anti-affinity", max_server_per_host=2))
    assert sorted(hosts) == ["host-1", "host-1", "host-2", "host-2"]


def test_affinity(scheduler, three_hosts, group, place):
    """All members get the host of the first; when that is full, there is no other."""
    hints = group("affinity")
    (host,) = place(scheduler, scheduler_hints=hints)
    assert place(scheduler, scheduler_hints=hints) == [host]
    with pytest.raises(errors.NoValidHost, match="ServerGroupAffinityFilter left none"):
        place(scheduler, scheduler_hints=hints)


@pytest.mark.parametrize(("policy", "expected"), [("soft-affinity", 1), ("soft-anti-affinity", 3)])
def test_soft_policies(a_scheduler, known, group, place, policy, expected):
    """The members are drawn to each other, or away from each other, as long as there is room."""
    for number in (1, 2, 3):
        known(f"host-{number}", memory_mb=3072)
    wants = {f"filter_scheduler.{name}_weight_multiplier": 9.0 for name in ("soft_affinity", "soft_anti_affinity")}
    scheduler, hints = a_scheduler(**wants), group(policy)
    assert len(set(place(scheduler, 3, scheduler_hints=hints))) == expected
    assert len(place(scheduler, 3, scheduler_hints=hints)) == 3  # which need not stand as their group would have it


@pytest.mark.parametrize("policy", ["anti-affinity", "affinity"])
def test_two_requests_at_once(scheduler, twin, meanwhile, db, known, group, place, policy):
    """One that has read the hosts before the other placed its member reads them again, and keeps to the policy."""
    known("host-1", memory_mb=8192)
    known("host-2", memory_mb=4096, service_fields={"availability_zone": "east"})
    hints, others = group(policy), []
    zone = "nova" if policy == "anti-affinity" else "east"  # one has chosen host-1 by then
    meanwhile(lambda _: others.extend(place(twin, scheduler_hints=hints, availability_zone=zone)))
    hosts = place(scheduler, scheduler_hints=hints) + others
    assert hosts == {"anti-affinity": ["host-2", "host-1"], "affinity": ["host-2", "host-2"]}[policy]


def test_room_that_is_gone_moves_all(scheduler, meanwhile, db, known, a_spec, group, place):
    """Members that must stand together choose again together when the room for one of them is gone."""
    known("host-1", memory_mb=8192, vcpus=2)
    known("host-2", memory_mb=2048)

    def take_one(_):
        with db.write() as tx:
            assert claims.claim(tx, "another", "host-1", a_spec().flavor)

    meanwhile(take_one)
    assert place(scheduler, 2, scheduler_hints=group("affinity")) == ["host-2", "host-2"]


def test_room_that_is_gone_in_a_group_comes_to_an_end(a_scheduler, known, group, place):
    """Where no filter looks at room, the claims do: each host is tried once."""
    known("host-1", memory_mb=512)
    known("host-2", memory_mb=512)
    scheduler = a_scheduler(**{"filter_scheduler.enabled_filters": ["ServerGroupAffinityFilter"]})
    with pytest.raises(errors.NoValidHost, match=r"a claim left none of 2 hosts \(.*a claim 0\)"):
        place(scheduler, 2, scheduler_hints=group("affinity"))


@pytest.mark.parametrize(
    ("policy", "needed"),
    [
        ("affinity", "ServerGroupAffinityFilter"),
        ("anti-affinity", "ServerGroupAntiAffinityFilter"),
        ("soft-affinity", "ServerGroupSoftAffinityWeigher"),
        ("soft-anti-affinity", "ServerGroupSoftAntiAffinityWeigher"),
    ],
)
def test_a_policy_that_nothing_honours(a_scheduler, three_hosts, group, place, policy, needed):
    """A request fails, as in Nova, when the filter or the weigher of its group's policy is not enabled."""
    settings = {f"filter_scheduler.enabled_{what}": [] for what in ("filters", "weighers")}
    with pytest.raises(errors.NoValidHost, match=f"ServerGroup policy is not supported: {needed} not configured"):
        place(a_scheduler(**settings), scheduler_hints=group(policy))


def test_a_deleted_group_asks_for_nothing(scheduler, db, known, group, place):
    """Members of a group that was deleted before they were placed go anywhere."""
    known("host-1")
    hints = group("anti-affinity")
    with db.write() as tx:
        server_groups.delete(tx, hints["group"])
    assert place(scheduler, 2, scheduler_hints=hints) == ["host-1", "host-1"]


def test_same_and_different_host(scheduler, three_hosts, db, place, uuids, a_spec, ctxt):
    """A hint may name instances to stand beside, or away from."""
    (uuid,) = uuids(1)
    (((there, *_),)) = scheduler.select_destinations(ctxt, a_spec(), [uuid])
    assert place(scheduler, scheduler_hints={"same_host": uuid}) == [there.host]
    others = place(scheduler, 4, scheduler_hints={"different_host": uuid})
    assert set(others) == {"host-1", "host-2", "host-3"} - {there.host}


def test_a_group_costs_a_few_statements(scheduler, three_hosts, db, uuids, a_spec, ctxt, group):
    """Two more read it and where its members are, and three check that when the room is claimed."""
    costs = []
    for hints in ({}, group("soft-anti-affinity")):
        asked = uuids(2, scheduler_hints=hints)
        with counted(db) as statements:
            scheduler.select_destinations(ctxt, a_spec(scheduler_hints=hints), asked)
        costs.append(len([statement for statement in statements if "SAVEPOINT" not in statement]))
    assert costs == [1 + 2 + 2, 1 + 2 + 2 + 5]
