"""The URL space of the Identity API, and who may use which part of it: one table."""

from collections.abc import Iterator

from mininova.standins.keystone import kinds, policy
from mininova.standins.keystone.handlers.grants import Assignments, Grants
from mininova.standins.keystone.handlers.resources import Domains, Projects, Resource, Users
from mininova.standins.keystone.handlers.tokens import Tokens
from mininova.standins.keystone.handlers.versions import Versions
from mininova.standins.keystone.policy import Rule, admin, anyone, reader, the_domain, the_project, the_user
from mininova.standins.keystone.service import Service
from mininova.wsgi import Route
from mininova.wsgi.router import Handler

Row = tuple[str, str, str, Rule, Handler]


def table(service: Service) -> list[Route]:
    """Give every route of the service."""
    versions, tokens, users = Versions(service), Tokens(service), Users(service)
    unguarded = [
        Route("GET", "/", versions.index),
        Route("GET", "/v3/", versions.show),
        Route("POST", "/v3/auth/tokens", tokens.create),
        Route("POST", "/v3/users/<id>/password", users.set_password),
    ]
    guarded = [*_auth(tokens), *_users(users, service), *_grants(service), *_kept(service)]
    return unguarded + [
        Route(method, f"/v3{path}", policy.guard(service.authority, action, rule, handler))
        for method, path, action, rule, handler in guarded
    ]


def _auth(tokens: Tokens) -> list[Row]:
    return [
        ("GET", "/auth/tokens", "validate_token", anyone, tokens.show),
        ("DELETE", "/auth/tokens", "revoke_token", anyone, tokens.delete),
        ("GET", "/auth/catalog", "get_auth_catalog", anyone, tokens.catalog),
        ("GET", "/auth/projects", "get_auth_projects", anyone, tokens.projects),
        ("GET", "/auth/domains", "get_auth_domains", anyone, tokens.domains),
        ("GET", "/auth/system", "get_auth_system", anyone, tokens.system),
    ]


def _users(users: Users, service: Service) -> list[Row]:
    assignments = Assignments(service)
    return [
        ("GET", "/users/<id>/projects", "list_user_projects", the_user, assignments.projects),
        ("GET", "/users/<id>/application_credentials", "list_application_credentials", the_user, users.no_credentials),
        ("GET", "/role_assignments", "list_role_assignments", reader, assignments.index),
    ]


def _grants(service: Service) -> Iterator[Row]:
    for kind, where in (("project", "/projects/<scope_id>"), ("domain", "/domains/<scope_id>"), ("system", "/system")):
        grants, path = Grants(service, kind), f"{where}/users/<user_id>/roles"
        yield "GET", path, "list_grants", reader, grants.index
        yield "GET", f"{path}/<role_id>", "check_grant", reader, grants.check
        yield "PUT", f"{path}/<role_id>", "create_grant", admin, grants.assign
        yield "DELETE", f"{path}/<role_id>", "revoke_grant", admin, grants.remove


def _kept(service: Service) -> Iterator[Row]:
    """Give five rows for each kind of thing: who may list them, and who may look at one."""
    for resource, may_list, may_show in (
        (Domains(service), reader, the_domain),
        (Projects(service), reader, the_project),
        (Users(service), reader, the_user),
        (Resource(service, kinds.ROLES), reader, reader),
        (Resource(service, kinds.REGIONS), anyone, anyone),
        (Resource(service, kinds.SERVICES), reader, reader),
        (Resource(service, kinds.ENDPOINTS), reader, reader),
    ):
        member, collection = resource.kind.member, f"/{resource.kind.collection}"
        yield "GET", collection, f"list_{resource.kind.collection}", may_list, resource.index
        yield "GET", f"{collection}/<id>", f"get_{member}", may_show, resource.show
        yield "POST", collection, f"create_{member}", admin, resource.create
        yield "PATCH", f"{collection}/<id>", f"update_{member}", admin, resource.update
        yield "DELETE", f"{collection}/<id>", f"delete_{member}", admin, resource.delete
