"""``/v2.0/quotas``: how much a project may have, and what an administrator says of it."""

from mininova.standins.neutron import policy, query, quotas
from mininova.standins.neutron.db.things import LIMITS
from mininova.standins.neutron.documents import Json
from mininova.standins.neutron.network_schemas import QUOTA
from mininova.standins.neutron.schemas import checked
from mininova.standins.neutron.service import Service
from mininova.wsgi import Request


class Quotas:
    """Handlers of quotas."""

    def __init__(self, service: Service) -> None:
        self._db = service.db

    def index(self, request: Request) -> Json:
        """List the quotas of the projects of which an administrator has said something."""
        _require_admin(request, "get_quota")
        with self._db.read() as tx:
            said = LIMITS.read_all(tx)
        shown = [{**quotas.DEFAULTS, **more, "project_id": id, "tenant_id": id} for id, more in said.items()]
        return query.answer(request, "quotas", shown, "project_id")

    def show(self, request: Request, project_id: str) -> Json:
        """Show how much a project may have."""
        _require_own(request, project_id)
        with self._db.read() as tx:
            return {"quota": quotas.limits(tx, project_id)}

    def default(self, request: Request, project_id: str) -> Json:
        """Show how much a project may have of which nothing is said."""
        _require_own(request, project_id)
        return {"quota": dict(quotas.DEFAULTS)}

    def details(self, request: Request, project_id: str) -> Json:
        """Show how much a project may have, and has."""
        _require_own(request, project_id)
        with self._db.read() as tx:
            limits, used = quotas.limits(tx, project_id), quotas.used(tx, project_id)
        return {"quota": {name: {"limit": most, "used": used[name], "reserved": 0} for name, most in limits.items()}}

    def update(self, request: Request, project_id: str) -> Json:
        """Say how much a project may have; it keeps what it has.

        :raises errors.InvalidInput: when it has more, and the caller wants that checked
        """
        _require_admin(request, "update_quota")
        body = checked(request.body_of("quota"), QUOTA)
        said = {name: most for name, most in body.items() if name in quotas.DEFAULTS}
        with self._db.write() as tx:
            if body.get("check_limit"):
                quotas.require_enough(tx, project_id, said)
            LIMITS.write(tx, project_id, {**LIMITS.read(tx, project_id), **said})
            return {"quota": quotas.limits(tx, project_id)}

    def delete(self, request: Request, project_id: str) -> None:
        """Go back to the defaults."""
        _require_admin(request, "delete_quota")
        with self._db.write() as tx:
            LIMITS.write(tx, project_id, {})


def _require_own(request: Request, project_id: str) -> None:
    if policy.viewer(request.context) not in (None, project_id):
        raise policy.disallowed("get_quota")


def _require_admin(request: Request, action: str) -> None:
    if not request.context.is_admin:
        raise policy.disallowed(action)
