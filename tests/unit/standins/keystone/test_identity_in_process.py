from mininova.context import RequestContext
from mininova.standins.keystone.db.identity import Project
from mininova.standins.keystone.in_process import ProjectService


def test_projects(db, find):
    """The Compute API can ask whether an id is a project's; a project's name is not its id."""
    service, ctxt = ProjectService(db), RequestContext()
    assert service.exists(ctxt, find(Project, "demo").id)
    assert not service.exists(ctxt, "demo")
