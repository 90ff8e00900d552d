"""The URL space of the Identity API, and who may use which part of it: one table."""

from collections.abc import Iterator

from mininova.standins.keystone import kinds, policy
from mininova.standins.keystone.db.identity import Group, User
from mininova.standins.keystone.handlers.absent import Absent, limit_model
from mininova.standins.keystone.handlers.application_credentials import ApplicationCredentials
from mininova.standins.keystone.handlers.grants import Assignments, Grants
from mininova.standins.keystone.handlers.resources import Domains, Groups, Projects, Resource, Users
from mininova.standins.keystone.handlers.tokens import Tokens
from mininova.standins.keystone.handlers.versions import Versions
from mininova.standins.keystone.policy import (
    Rule,
    admin,
    anyone,
    owner,
    owner_or_admin,
    reader,
    the_domain,
    the_project,
    the_user,
)
from mininova.standins.keystone.service import Service
from mininova.wsgi import Route
from mininova.wsgi.router import Handler

Row = tuple[str, str, str, Rule, Handler]

#: Where clients look for what there is none of → what one who wants to make such a thing is told.
ABSENT = {
    "/OS-TRUST/trusts": "This cloud has no trusts: give the other one an application credential.",
    "/limits": "This cloud's limits are Nova's quotas: see os-quota-sets of the Compute API.",
    "/registered_limits": "This cloud's limits are Nova's quotas: see os-quota-class-sets of the Compute API.",
    "/users/<id>/access_rules": "This cloud's application credentials have no access rules.",
}


def table(service: Service) -> list[Route]:
    """Give every route of the service."""
    versions, tokens, users = Versions(service), Tokens(service), Users(service)
    unguarded = [
        Route("GET", "/", versions.index),
        Route("GET", "/v3/", versions.show),
        Route("POST", "/v3/auth/tokens", tokens.create),
        Route("POST", "/v3/users/<id>/password", users.set_password),
    ]
    groups = Groups(service)
    guarded = [
        *_auth(tokens),
        *_users(service),
        *_members(groups),
        *_grants(service),
        *_absent(service),
        *_kept(users, groups, service),
    ]
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


def _users(service: Service) -> list[Row]:
    assignments, credentials = Assignments(service), ApplicationCredentials(service)
    many = "/users/<id>/application_credentials"
    one, noun = f"{many}/<credential_id>", "application_credential"
    return [
        ("GET", "/users/<id>/projects", "list_user_projects", the_user, assignments.projects),
        ("GET", many, f"list_{noun}s", the_user, credentials.index),
        ("POST", many, f"create_{noun}", owner, credentials.create),
        ("GET", one, f"get_{noun}", the_user, credentials.show),
        ("DELETE", one, f"delete_{noun}", owner_or_admin, credentials.delete),
        ("GET", "/role_assignments", "list_role_assignments", reader, assignments.index),
    ]


def _members(groups: Groups) -> list[Row]:
    one = "/groups/<id>/users/<user_id>"
    return [
        ("GET", "/users/<id>/groups", "list_groups_for_user", the_user, groups.of_user),
        ("GET", "/groups/<id>/users", "list_users_in_group", reader, groups.members),
        ("GET", one, "check_user_in_group", reader, groups.check),
        ("PUT", one, "add_user_to_group", admin, groups.join),
        ("DELETE", one, "remove_user_from_group", admin, groups.leave),
    ]


def _grants(service: Service) -> Iterator[Row]:
    for kind, where in (("project", "/projects/<scope_id>"), ("domain", "/domains/<scope_id>"), ("system", "/system")):
        for collection, to in (("users", User), ("groups", Group)):
            grants, path = Grants(service, kind, to), f"{where}/{collection}/<holder_id>/roles"
            yield "GET", path, "list_grants", reader, grants.index
            yield "GET", f"{path}/<role_id>", "check_grant", reader, grants.check
            yield "PUT", f"{path}/<role_id>", "create_grant", admin, grants.assign
            yield "DELETE", f"{path}/<role_id>", "revoke_grant", admin, grants.remove


def _absent(service: Service) -> Iterator[Row]:
    for path, why in ABSENT.items():
        nothing, noun = Absent(service, path, why), path.rpartition("/")[2]
        yield "GET", path, f"list_{noun}", anyone, nothing.index
        yield "POST", path, f"create_{noun.removesuffix('s')}", anyone, nothing.create
    yield "GET", "/limits/model", "get_limit_model", anyone, limit_model


def _kept(users: Users, groups: Groups, service: Service) -> Iterator[Row]:
    """Give five rows for each kind of thing: who may list them, and who may look at one."""
    for resource, may_list, may_show in (
        (Domains(service), reader, the_domain),
        (Projects(service), reader, the_project),
        (users, reader, the_user),
        (groups, reader, reader),
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
