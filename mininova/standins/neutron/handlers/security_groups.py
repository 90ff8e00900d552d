"""``/v2.0/security-groups`` and ``/v2.0/security-group-rules``."""

from mininova.standins.neutron import query
from mininova.standins.neutron.documents import Json
from mininova.standins.neutron.groups import Groups
from mininova.wsgi import Reply, Request


class SecurityGroups:
    """Handlers of security groups and their rules."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def index(self, request: Request) -> Json:
        """List the caller's groups, an administrator's those of all projects."""
        return query.answer(request, "security_groups", self._groups.search(request.context))

    def show(self, request: Request, id: str) -> Json:
        """Show a group with its rules."""
        return {"security_group": query.fields(request, self._groups.get(request.context, id))}

    def create(self, request: Request) -> Reply:
        """Make a group."""
        body = request.body_of("security_group")
        return Reply(201, {"security_group": self._groups.create(request.context, body)})

    def update(self, request: Request, id: str) -> Json:
        """Change what is said of a group."""
        body = request.body_of("security_group")
        return {"security_group": self._groups.update(request.context, id, body)}

    def delete(self, request: Request, id: str) -> None:
        """Delete a group, but neither a default one nor one that a server has."""
        self._groups.delete(request.context, id)

    # ---- rules

    def rules(self, request: Request) -> Json:
        """List the rules of the caller's groups."""
        rules = [rule for group in self._groups.search(request.context) for rule in group["security_group_rules"]]
        return query.answer(request, "security_group_rules", rules)

    def show_rule(self, request: Request, id: str) -> Json:
        """Show a rule."""
        return {"security_group_rule": query.fields(request, self._groups.rule(request.context, id))}

    def create_rule(self, request: Request) -> Reply:
        """Add a rule to a group."""
        body = request.body_of("security_group_rule")
        return Reply(201, {"security_group_rule": self._groups.add_rule(request.context, body)})

    def delete_rule(self, request: Request, id: str) -> None:
        """Delete a rule."""
        self._groups.delete_rule(request.context, id)
