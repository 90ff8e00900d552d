"""Which roles may do what."""

import re
from pathlib import Path

import pytest

from mininova import conf, errors
from mininova.api import policy as policy_module
from mininova.api.policy import RULES, Policy, full_name
from mininova.context import RequestContext

# The source of the table itself.
TABLE = Path(policy_module.__file__).read_text()

ROLES = {
    "reader": ("reader",),
    "member": ("member", "reader"),
    "manager": ("manager", "member", "reader"),
    "admin": ("admin", "manager", "member", "reader"),
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(conf.for_tests("api"))


def who(role: str, project: str = "p") -> RequestContext:
    return RequestContext(user_id=role, project_id=project, roles=ROLES[role])


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("extensions", {"reader", "member", "manager", "admin"}),
        ("servers:show", {"reader", "member", "manager", "admin"}),
        ("servers:create", {"member", "manager", "admin"}),
        ("os-services:list", {"admin"}),
        ("compute:server:topology:index", {"reader", "member", "manager", "admin"}),
    ],
)
def test_roles_include_one_another(policy: Policy, rule: str, allowed: set[str]) -> None:
    """A member may do all that a reader may, and an administrator may do all."""
    assert {role for role in ROLES if policy.allows(who(role), rule)} == allowed


def test_objects_of_another_project_are_for_administrators(policy: Policy) -> None:
    """A role counts for its own project only, unless it is admin."""
    assert not policy.allows(who("member"), "servers:delete", project_id="other")
    assert policy.allows(who("admin"), "servers:delete", project_id="other")


def test_a_users_own_objects_are_for_that_user(policy: Policy) -> None:
    """A keypair belongs to its user, with any role."""
    assert policy.allows(who("reader"), "os-keypairs:create", user_id="reader")
    assert not policy.allows(who("member"), "os-keypairs:create", user_id="somebody")


def test_a_refusal_names_the_rule_as_nova_does(policy: Policy) -> None:
    """A user who is refused can give an operator the name of the rule."""
    with pytest.raises(errors.NotAllowed) as refused:
        policy.require(who("reader"), "servers:create")
    assert str(refused.value) == "Policy doesn't allow os_compute_api:servers:create to be performed."


def test_no_rule_is_in_two_rows() -> None:
    """Each rule has one default."""
    names = [full_name(rule) for rules in RULES.values() for rule in rules]
    assert len(names) == len(set(names))


def test_every_rule_is_asked_somewhere() -> None:
    """Each rule of the table is used by some handler."""
    sources = "".join(path.read_text() for path in Path(policy_module.__file__).parent.rglob("*.py"))
    asked = {rule for rules in RULES.values() for rule in rules if f'"{rule}"' in sources.replace(TABLE, "")}
    # The list of servers composes the names of these two.
    made = {"servers:index:get_all_tenants", "servers:detail:get_all_tenants"}
    assert {rule for rules in RULES.values() for rule in rules} - asked == made


def test_a_deployment_changes_rules_in_its_policy_file(tmp_path: Path) -> None:
    """oslo.policy's own file wins over the table."""
    assert not with_file(tmp_path, '"os_compute_api:servers:create": "!"\n').allows(who("admin"), "servers:create")
    assert with_file(tmp_path, "").allows(who("admin"), "servers:create")


def with_file(folder: Path, written: str) -> Policy:
    """Make a policy as an api does whose mininova.conf names a policy.yaml."""
    (folder / "policy.yaml").write_text(written)
    (folder / "mininova.conf").write_text(f"[oslo_policy]\npolicy_file = {folder / 'policy.yaml'}\n")
    return Policy(conf.read_files("api", [str(folder / "mininova.conf")]))


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("a: [b", "cannot be read: while parsing a flow sequence"),
        ("- a", "it is to have a check for each rule"),
        ("a: 1", "it is to have a check for each rule"),
        (
            '"os_compute_api:servers:create": "role:admin and ("',
            "servers:create has a check that is none: role:admin and (",
        ),
    ],
)
def test_a_policy_file_that_is_none(tmp_path: Path, written: str, complaint: str) -> None:
    """The api refuses to start, and says what is wrong with which setting."""
    with pytest.raises(errors.ConfigError, match=re.escape(complaint)) as refused:
        with_file(tmp_path, written)
    assert str(refused.value).startswith("[oslo_policy] policy_file")


def test_a_policy_file_that_is_not_there(tmp_path: Path) -> None:
    """One that is named must be there."""
    settings = conf.for_tests("api", **{"oslo_policy.policy_file": str(tmp_path / "none.yaml")})
    with pytest.raises(errors.ConfigError, match="there is no such file"):
        Policy(settings)
