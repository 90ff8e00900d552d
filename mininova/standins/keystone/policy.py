"""Who may do what in the Identity API, by Keystone's defaults: an administrator everything, a reader of the system
see everything, a user see themselves, their project and their domain.

The rules are named in the URL table, mininova/standins/keystone/routes.py.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mininova import errors
from mininova.standins.keystone import roles
from mininova.standins.keystone.authority import Authority, Token
from mininova.wsgi import Request

# A rule: may the caller do this to what the URL names?
Rule = Callable[[Token, Mapping[str, str]], bool]


def anyone(caller: Token, named: Mapping[str, str]) -> bool:
    """Allow every caller with a valid token."""
    return True


def admin(caller: Token, named: Mapping[str, str]) -> bool:
    """Allow administrators."""
    return caller.is_admin


def reader(caller: Token, named: Mapping[str, str]) -> bool:
    """Allow administrators, and those who may read the whole system."""
    return caller.is_admin or (caller.is_system and roles.READER in caller.role_names)


def the_user(caller: Token, named: Mapping[str, str]) -> bool:
    """Allow readers, and the user that is named."""
    return reader(caller, named) or named["id"] == caller.user.id


def owner(caller: Token, named: Mapping[str, str]) -> bool:
    """Allow the user that is named, and no other."""
    return named["id"] == caller.user.id


def owner_or_admin(caller: Token, named: Mapping[str, str]) -> bool:
    """Allow administrators, and the user that is named."""
    return caller.is_admin or owner(caller, named)


def the_project(caller: Token, named: Mapping[str, str]) -> bool:
    """Allow readers, and those whose token is for the project that is named."""
    return reader(caller, named) or (caller.project is not None and named["id"] == caller.project.id)


def the_domain(caller: Token, named: Mapping[str, str]) -> bool:
    """Allow readers, and those whose token is for the domain that is named, or for a project in it."""
    return reader(caller, named) or (caller.standing.domain is not None and named["id"] == caller.standing.domain.id)


def guard(authority: Authority, action: str, rule: Rule, handler: Callable[..., Any]) -> Callable[..., Any]:
    """Put a rule before a handler, and give it the caller's token.

    :param action: Keystone's name for it, for the refusal: ``list_projects``
    """

    def guarded(request: Request, **named: str) -> Any:
        caller = authority.check(request.headers.get("X-Auth-Token", ""))
        if not rule(caller, named):
            raise errors.NotAllowed(f"You are not authorized to perform the requested action: identity:{action}.")
        return handler(request, caller, **named)

    return guarded
