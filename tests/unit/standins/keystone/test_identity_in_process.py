from mininova.context import RequestContext
from mininova.standins.keystone.db.identity import Project
from mininova.standins.keystone.in_process import ProjectService


def test_projects(db, find):
    """The Compute API learns of a project's id whether there is a project of this id; its name is no id."""
    service, ctxt = ProjectService(db), RequestContext()
    assert service.exists(ctxt, find(Project, "demo").id)
    assert not service.exists(ctxt, "demo")
