"""``/v2.0/security-groups`` and ``/v2.0/security-group-rules``."""

from typing import Any

from mininova import errors
from mininova.context import RequestContext
from mininova.db.session import Connection
from mininova.standins.neutron import documents, policy, query, schemas
from mininova.standins.neutron.db import security_groups
from mininova.standins.neutron.db.security_groups import DEFAULT, Rule, SecurityGroup
from mininova.standins.neutron.documents import Json
from mininova.standins.neutron.service import Service
from mininova.wsgi import Reply, Request

GROUP = ("id", "name", "description", "stateful", "shared", "project_id", "tenant_id", "revision_number")
RULE = (
    "id", "security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
    "remote_ip_prefix", "remote_group_id", "description", "project_id", "tenant_id",
)  # fmt: skip


class SecurityGroups:
    """Handlers of security groups and their rules."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def index(self, request: Request) -> Json:
        """List the caller's groups, an administrator's those of all projects."""
        groups, rules = self._seen(request)
        shown = [documents.security_group(group, rules[group.id]) for group in groups]
        return query.answer(request, "security_groups", shown, GROUP)

    def show(self, request: Request, id: str) -> Json:
        """Show a group with its rules."""
        with self._service.db.read() as tx:
            group = security_groups.get(tx, id, policy.viewer(request.context))
            shown = documents.security_group(group, security_groups.rules(tx, [group])[id])
        return {"security_group": query.fields(request, shown)}

    def create(self, request: Request) -> Reply:
        """Make a group."""
        policy.require_member(request.context, "create_security_group")
        said = schemas.checked(request.body_of("security_group"), schemas.NEW_GROUP)
        project_id = _owner(request.context, said, "create_security_group")
        if said["name"].lower() == DEFAULT:
            raise errors.Conflict("Default security group already exists.")
        security_groups.defaults(self._service.db, {project_id})
        with self._service.db.write() as tx:
            group = security_groups.create(tx, project_id, said["name"], **_columns(said))
            assert group is not None
            shown = documents.security_group(group, security_groups.rules(tx, [group])[group.id])
        return Reply(201, {"security_group": shown})

    def update(self, request: Request, id: str) -> Json:
        """Change what is said of a group."""
        said = schemas.checked(request.body_of("security_group"), schemas.CHANGED_GROUP)
        with self._service.db.write() as tx:
            group = self._own(tx, request, id, "update_security_group")
            if "name" in said and DEFAULT in (group.name, said["name"].lower()) and said["name"] != group.name:
                raise errors.Conflict("Updating default security group not allowed.")
            group = security_groups.update(
                tx, group, **{**_columns(said), **{k: said[k] for k in ("name",) if k in said}}
            )
            return {"security_group": documents.security_group(group, security_groups.rules(tx, [group])[id])}

    def delete(self, request: Request, id: str) -> None:
        """Delete a group, but not a default one."""
        with self._service.db.write() as tx:
            group = self._own(tx, request, id, "delete_security_group")
            if group.default_of is not None:
                raise errors.Conflict("Insufficient rights for removing default security group.")
            security_groups.delete(tx, group)

    # ---- rules

    def rules(self, request: Request) -> Json:
        """List the rules of the caller's groups."""
        groups, rules = self._seen(request)
        shown = [documents.rule(group, rule) for group in groups for rule in rules[group.id]]
        return query.answer(request, "security_group_rules", shown, RULE)

    def show_rule(self, request: Request, id: str) -> Json:
        """Show a rule."""
        with self._service.db.read() as tx:
            rule, group = security_groups.get_rule(tx, id, policy.viewer(request.context))
        return {"security_group_rule": query.fields(request, documents.rule(group, rule))}

    def create_rule(self, request: Request) -> Reply:
        """Add a rule to a group."""
        policy.require_member(request.context, "create_security_group_rule")
        said = schemas.rule(request.body_of("security_group_rule"))
        viewer = policy.viewer(request.context)
        with self._service.db.write() as tx:
            group = security_groups.get(tx, said.pop("security_group_id"), viewer)
            if said.get("remote_group_id") is not None:
                security_groups.get(tx, said["remote_group_id"], None)
            rule: Rule = security_groups.add_rule(tx, group, **said)
        return Reply(201, {"security_group_rule": documents.rule(group, rule)})

    def delete_rule(self, request: Request, id: str) -> None:
        """Delete a rule."""
        policy.require_member(request.context, "delete_security_group_rule")
        with self._service.db.write() as tx:
            rule, _ = security_groups.get_rule(tx, id, policy.viewer(request.context))
            security_groups.delete_rule(tx, rule)

    # ---- small parts

    def _seen(self, request: Request) -> tuple[list[SecurityGroup], dict[str, list[Rule]]]:
        """Read the groups that the caller sees, the project's default one among them."""
        if request.context.project_id:
            security_groups.defaults(self._service.db, {request.context.project_id})
        with self._service.db.read() as tx:
            groups = security_groups.search(tx, policy.viewer(request.context))
            return groups, security_groups.rules(tx, groups)

    @staticmethod
    def _own(tx: Connection, request: Request, id: str, action: str) -> SecurityGroup:
        policy.require_member(request.context, action)
        return security_groups.get(tx, id, policy.viewer(request.context))


def _owner(ctxt: RequestContext, said: Json, action: str) -> str:
    """Name the project that a new thing is for: only an administrator makes one for another."""
    owner = said.get("project_id") or said.get("tenant_id") or ctxt.project_id
    if not owner or (owner != ctxt.project_id and not ctxt.is_admin):
        raise policy.disallowed(action)
    return str(owner)


def _columns(said: Json) -> dict[str, Any]:
    return {name: said[name] for name in ("description", "stateful") if name in said}
