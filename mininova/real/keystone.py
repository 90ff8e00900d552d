"""A real Keystone: checks the tokens of requests, knows the projects, and lets our services in at other services.

``[filter:authtoken]`` of api-paste.ini names ``filter_factory``, and ``project_service`` of ``[app:compute_app]`` the
function of that name.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keystoneauth1 import exceptions, loading
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session
from keystonemiddleware.auth_token import AuthProtocol
from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.context import RequestContext
from mininova.wsgi import Parts, current_parts

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

TIMEOUT_S = 30  # of one request to another service
ACCOUNT = ("auth_url", "username", "password", "user_domain_name", "project_name", "project_domain_name")


class AuthToken:
    """keystonemiddleware's filter, with our settings; its 401 says where to get a token, as the stand-in's does."""

    def __init__(self, app: "WSGIApplication", conf: ConfigOpts) -> None:
        uri = conf.keystone_authtoken.www_authenticate_uri or conf.keystone_authtoken.auth_url
        self._where = {"WWW-Authenticate": f'Keystone uri="{uri}"'}
        more = {"region_name": conf.keystone_authtoken.region_name, "www_authenticate_uri": uri}
        fixed = {"auth_type": "password", "delay_auth_decision": "true", "service_token_roles_required": "true"}
        self._filter: WSGIApplication = AuthProtocol(app, {**more, **fixed, "oslo_config_config": _theirs(conf)})

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass the request on, with what Keystone knows of its sender (WSGI)."""
        try:
            return self._filter(environ, start_response)
        except errors.Unauthorized as refusal:
            raise errors.Unauthorized(str(refusal), headers=self._where) from refusal


def filter_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], AuthToken]:
    """Make the Paste filter ``authtoken``."""
    conf = current_parts().conf
    return lambda app: AuthToken(app, conf)


class ProjectService:
    """Asks Keystone which projects there are."""

    def __init__(self, keystone: Adapter) -> None:
        self._keystone = keystone

    def exists(self, ctxt: RequestContext, project_id: str) -> bool:
        """Tell whether there is a project of this id, enabled or not."""
        with reachable("Keystone"):
            try:
                self._keystone.get(f"projects/{project_id}")
            except exceptions.NotFound:
                return False
        return True


def project_service(parts: Parts) -> ProjectService:
    """Make the project service of an api."""
    return ProjectService(adapter(parts.conf, "identity", "3"))


def adapter(conf: ConfigOpts, service_type: str, version: str) -> Adapter:
    """Make what asks a service of the catalog, as the account in [keystone_authtoken].

    :param version: of its API, the major number
    """
    ours = _account(conf)
    return Adapter(
        Session(Password(ours.pop("auth_url"), **ours), timeout=TIMEOUT_S),
        service_type=service_type,
        interface="internal",
        region_name=conf.keystone_authtoken.region_name,
        min_version=version,
        max_version=f"{version}.latest",
    )


@contextmanager
def reachable(service: str) -> Iterator[None]:
    """Say of a service, in a block that asks it, that it cannot be asked.

    :raises errors.OtherServiceUnavailable: when it does not answer, has an error of its own, or does not know us
    """
    try:
        yield
    except exceptions.ClientException as problem:
        log.error("%s cannot be asked: %s", service, problem)
        raise errors.OtherServiceUnavailable(service=service) from problem


def _theirs(conf: ConfigOpts) -> ConfigOpts:
    """Give our account as keystonemiddleware reads it: in settings of its own, to which it adds all its options."""
    theirs, group = ConfigOpts(), conf.keystone_authtoken
    theirs([], default_config_files=[], default_config_dirs=[])
    theirs.register_opts(loading.get_auth_plugin_conf_options("password"), group="keystone_authtoken")
    for name in ACCOUNT:
        theirs.set_override(name, group[name], group="keystone_authtoken")
    return theirs


def _account(conf: ConfigOpts) -> dict[str, Any]:
    return {name: getattr(conf.keystone_authtoken, name) for name in ACCOUNT}
