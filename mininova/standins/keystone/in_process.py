"""How the Compute API, in the same process, asks for a project: by a query, where a real Keystone is asked over HTTP.

``project_service`` of ``[app:compute_app]`` in api-paste.ini names this, and nothing imports it.
"""

from mininova.context import RequestContext
from mininova.db.session import Database
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import Project
from mininova.wsgi import Parts


class ProjectService:
    """Knows which projects there are."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def exists(self, ctxt: RequestContext, project_id: str) -> bool:
        """Tell whether there is a project of this id, enabled or not."""
        with self._db.read() as tx:
            return identity.find(tx, Project, {"id": project_id}) is not None


def project_service(parts: Parts) -> ProjectService:
    """Make the project service of an api."""
    return ProjectService(parts.db)
