"""Server groups are kept with their members, and say whether one more may stand on a host."""

from uuid import uuid4

import pytest

from mininova import errors
from mininova.db import claims, endings, request_specs, server_groups
from mininova.db.server_groups import ServerGroup
from mininova.objects import ImageMeta, RequestSpec


def a_group(policy="anti-affinity", project_id="demo", **rules):
    uuid = str(uuid4())
    return ServerGroup(uuid=uuid, name="g", project_id=project_id, user_id="ann", policy=policy, rules=rules)


@pytest.fixture
def member(tx, waiting, flavor):
    """Make a member of a group, with room on a host if one is named, and give its uuid."""

    def make(group, host=None):
        (made,) = waiting(tx)
        hints = {"group": group.uuid}
        spec = RequestSpec(flavor=flavor, image=ImageMeta(id="i"), project_id="demo", scheduler_hints=hints)
        request_specs.create(tx, [made.uuid], spec)
        assert host is None or claims.claim(tx, made.uuid, host, flavor)
        return made.uuid

    return make


def test_it_comes_back_as_it_was(tx):
    """All of it comes back; a project that it does not belong to finds none."""
    group = a_group(max_server_per_host=3)
    server_groups.create(tx, group)
    assert server_groups.get(tx, group.uuid, project_id="demo") == server_groups.get(tx, group.uuid) == group
    for uuid, project_id in ((group.uuid, "other"), (str(uuid4()), "demo")):
        with pytest.raises(errors.ServerGroupNotFound, match=f"Instance group {uuid} could not be found"):
            server_groups.get(tx, uuid, project_id=project_id)


def test_lists(tx):
    """A list has the groups of one project, or of all, in the order in which they were made, page by page."""
    groups = [a_group(project_id=project_id) for project_id in ("demo", "other", "demo", "demo")]
    for group in groups:
        server_groups.create(tx, group)
    own = [groups[0], groups[2], groups[3]]
    assert server_groups.search(tx, project_id="demo", limit=10) == own
    assert server_groups.search(tx, project_id="demo", limit=1, offset=1) == own[1:2]
    assert server_groups.search(tx, project_id=None, limit=10) == groups


def test_members(tx, add_host, member):
    """A server is a member from the time it is asked for until it is deleted, and stands where it has room."""
    add_host(tx, "host-1")
    group, empty = a_group(), a_group()
    server_groups.create(tx, group)
    one, other = member(group, "host-1"), member(group)
    found = server_groups.members(tx, [group.uuid, empty.uuid])
    assert (sorted(found[group.uuid]), found[empty.uuid]) == (sorted([one, other]), [])
    assert server_groups.hosts_of_members(tx, group.uuid) == {one: "host-1"}
    assert server_groups.of_instance(tx, one) == group.uuid
    endings.destroy(tx, one)
    assert server_groups.members(tx, [group.uuid]) == {group.uuid: [other]}
    assert server_groups.hosts_of_members(tx, group.uuid) == {}
    assert server_groups.of_instance(tx, one) is None


def test_members_outlive_their_group(tx, member):
    """The servers of a deleted group are in none."""
    group = a_group()
    server_groups.create(tx, group)
    uuid = member(group)
    server_groups.delete(tx, group.uuid)
    assert server_groups.of_instance(tx, uuid) is None
    assert server_groups.members(tx, [group.uuid]) == {group.uuid: []}
    assert server_groups.admits(tx, group.uuid, {uuid: "host-1"})
    with pytest.raises(errors.ServerGroupNotFound):
        server_groups.delete(tx, group.uuid)


@pytest.mark.parametrize(
    ("group", "standing", "asked", "admitted"),
    [
        (a_group("anti-affinity"), [], ["host-1", "host-2"], True),
        (a_group("anti-affinity"), [], ["host-1", "host-1"], False),
        (a_group("anti-affinity"), ["host-1"], ["host-2"], True),
        (a_group("anti-affinity"), ["host-1"], ["host-1"], False),
        (a_group("anti-affinity", max_server_per_host=2), ["host-1"], ["host-1"], True),
        (a_group("anti-affinity", max_server_per_host=2), ["host-1"], ["host-1", "host-1"], False),
        (a_group("affinity"), [], ["host-1", "host-1"], True),
        (a_group("affinity"), [], ["host-1", "host-2"], False),
        (a_group("affinity"), ["host-1"], ["host-1"], True),
        (a_group("affinity"), ["host-1"], ["host-2"], False),
        (a_group("soft-affinity"), ["host-1"], ["host-2"], True),
        (a_group("soft-anti-affinity"), ["host-1"], ["host-1"], True),
    ],
)
def test_admits(tx, add_host, member, group, standing, asked, admitted):
    """The policy is asked about each new member, as all others stand by then."""
    for host in ("host-1", "host-2"):
        add_host(tx, host)
    server_groups.create(tx, group)
    for host in standing:
        member(group, host)
    assert server_groups.admits(tx, group.uuid, {member(group): host for host in asked}) is admitted


def test_a_member_that_has_room_already(tx, add_host, member):
    """It keeps that, wherever it was to go; one that moves gives it up."""
    add_host(tx, "host-1")
    group = a_group("anti-affinity")
    server_groups.create(tx, group)
    here, other = member(group, "host-1"), member(group)
    assert not server_groups.admits(tx, group.uuid, {here: "host-2", other: "host-1"})
    assert server_groups.admits(tx, group.uuid, {here: "host-1", other: "host-2"})
    assert not server_groups.admits(tx, group.uuid, {here: "host-2", other: "host-2"}, moving=True)
    assert server_groups.admits(tx, group.uuid, {here: "host-2", other: "host-1"}, moving=True)


def test_a_claim_keeps_to_the_policy(tx, add_host, member, flavor):
    """Room is refused where the group may have no more members; then nothing is claimed."""
    for host in ("host-1", "host-2"):
        add_host(tx, host)
    group = a_group("anti-affinity")
    server_groups.create(tx, group)
    member(group, "host-1")
    uuid = member(group)
    spec = request_specs.get(tx, uuid).spec
    assert not claims.claim(tx, uuid, "host-1", flavor, group.uuid)
    with pytest.raises(claims.GroupMoved):
        claims.claim_all(tx, {uuid: "host-1"}, spec, "req-1")
    assert claims.of_instance(tx, uuid) is None
    assert claims.claim_all(tx, {uuid: "host-2"}, spec, "req-1") == {uuid: "host-2"}
