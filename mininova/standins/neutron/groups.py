"""What may be done with security groups: over HTTP (handlers/security_groups.py) and by Nova (in_process.py).

Groups and rules are given as the Networking API writes them.
"""

from collections.abc import Collection
from typing import Any

from mininova import errors
from mininova.context import RequestContext
from mininova.db import ports
from mininova.db.session import Connection, Database
from mininova.standins.neutron import documents, policy, quotas, schemas
from mininova.standins.neutron.db import security_groups
from mininova.standins.neutron.db.security_groups import DEFAULT, SecurityGroup
from mininova.standins.neutron.documents import Json, Retag


class Groups:
    """Reads and changes security groups, as far as the caller may."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def search(self, ctxt: RequestContext) -> list[Json]:
        """List the groups that a caller sees, the default one of the caller's project among them."""
        if ctxt.project_id:
            security_groups.defaults(self._db, {ctxt.project_id})
        with self._db.read() as tx:
            return _shown(tx, security_groups.search(tx, policy.viewer(ctxt)))

    def of_project(self, project_id: str, ids: Collection[str | None]) -> list[Json]:
        """Read some groups of a project.

        :param ids: None among them means its default one
        """
        wanted = {security_groups.defaults(self._db, {project_id})[project_id] if id is None else id for id in ids}
        with self._db.read() as tx:
            found = security_groups.search(tx, project_id)
            return _shown(tx, [group for group in found if group.id in wanted])

    def names(self, ids: Collection[str]) -> dict[str, str]:
        """Tell what some groups are called; those that are gone are left out."""
        with self._db.read() as tx:
            return security_groups.names(tx, ids)

    def get(self, ctxt: RequestContext, id: str) -> Json:
        """Read one group.

        :raises errors.NotFound: when there is none that the caller sees
        """
        with self._db.read() as tx:
            return _shown(tx, [security_groups.get(tx, id, policy.viewer(ctxt))])[0]

    def create(self, ctxt: RequestContext, body: Json) -> Json:
        """Make a group.

        :raises errors.InvalidInput: naming the field that is wrong
        :raises errors.Conflict: when it were a second default one
        """
        policy.require_member(ctxt, "create_security_group")
        said = schemas.checked(body, schemas.NEW_GROUP)
        project_id = policy.owner(ctxt, said, "create_security_group")
        if said["name"].lower() == DEFAULT:
            raise errors.Conflict("Default security group already exists.")
        security_groups.defaults(self._db, {project_id})
        with self._db.write() as tx:
            quotas.require_room(tx, project_id, "security_group")
            group = security_groups.create(tx, project_id, said["name"], **_columns(said, "description", "stateful"))
            assert group is not None  # which only a default one can be
            return _shown(tx, [group])[0]

    def update(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Change what is said of a group.

        :raises errors.Conflict: when the default group would get another name, or another one its name
        """
        said = schemas.checked(body, schemas.CHANGED_GROUP)
        with self._db.write() as tx:
            group = _own(tx, ctxt, id, "update_security_group")
            name = said.get("name", group.name)
            if name != group.name and DEFAULT in (group.name, name.lower()):
                raise errors.Conflict("Updating default security group not allowed.")
            changed = security_groups.update(tx, group, **_columns(said, "name", "description", "stateful"))
            return _shown(tx, [changed])[0]

    def delete(self, ctxt: RequestContext, id: str) -> None:
        """Delete a group.

        :raises errors.Conflict: when it is a default one, which only an administrator deletes, or a server has it
        """
        with self._db.write() as tx:
            group = _own(tx, ctxt, id, "delete_security_group")
            if group.default_of is not None and not ctxt.is_admin:
                raise errors.Conflict("Insufficient rights for removing default security group.")
            if any(id in (each.groups or ()) for each in ports.search(tx, group.project_id)):
                raise errors.Conflict(f"Security Group {id} in use.")
            security_groups.delete(tx, group)

    def tag(self, ctxt: RequestContext, id: str, change: Retag) -> None:
        """Change the tags of a group."""
        with self._db.write() as tx:
            group = _own(tx, ctxt, id, "update_security_group")
            security_groups.update(tx, group, tags=tuple(change(group.tags)))

    # ---- rules

    def rule(self, ctxt: RequestContext, id: str) -> Json:
        """Read one rule.

        :raises errors.NotFound: when there is none that the caller sees
        """
        with self._db.read() as tx:
            rule, group = security_groups.get_rule(tx, id, policy.viewer(ctxt))
        return documents.rule(group, rule)

    def add_rule(self, ctxt: RequestContext, body: Json) -> Json:
        """Add a rule to a group.

        :raises errors.InvalidInput: saying what is wrong, or does not go together
        :raises errors.Conflict: when the group says just that already
        """
        policy.require_member(ctxt, "create_security_group_rule")
        said = schemas.rule(body)
        with self._db.write() as tx:
            group = security_groups.get(tx, said.pop("security_group_id"), policy.viewer(ctxt))
            quotas.require_room(tx, group.project_id, "security_group_rule")
            if said.get("remote_group_id") is not None:
                security_groups.get(tx, said["remote_group_id"], None)
            return documents.rule(group, security_groups.add_rule(tx, group, **said))

    def delete_rule(self, ctxt: RequestContext, id: str) -> None:
        """Delete a rule."""
        policy.require_member(ctxt, "delete_security_group_rule")
        with self._db.write() as tx:
            rule, _ = security_groups.get_rule(tx, id, policy.viewer(ctxt))
            security_groups.delete_rule(tx, rule)


def _shown(tx: Connection, groups: list[SecurityGroup]) -> list[Json]:
    rules = security_groups.rules(tx, groups)
    return [documents.security_group(group, rules[group.id]) for group in groups]


def _own(tx: Connection, ctxt: RequestContext, id: str, action: str) -> SecurityGroup:
    policy.require_member(ctxt, action)
    return security_groups.get(tx, id, policy.viewer(ctxt))


def _columns(said: Json, *names: str) -> dict[str, Any]:
    return {name: said[name] for name in names if name in said}
