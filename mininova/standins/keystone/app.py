"""The identity service as Paste Deploy starts it."""

from typing import Any

from mininova.standins.keystone import catalog, routes, tokens
from mininova.standins.keystone.authentication import Authenticator
from mininova.standins.keystone.authority import Authority
from mininova.standins.keystone.passwords import Passwords
from mininova.standins.keystone.service import Service
from mininova.wsgi import Application, Parts, Request, current_parts


class IdentityApplication(Application):
    """Answers requests to the Identity API."""

    def __init__(self, service: Service) -> None:
        super().__init__(routes.table(service), "identity")
        self._service = service

    def close(self, request: Request, response: Any) -> None:
        """Say that the answer depends on who asks, and to those who are refused (401) where to log in."""
        response.headers["Vary"] = "X-Auth-Token"
        if response.status_int == 401:
            where = f"{request.endpoint}{catalog.IDENTITY}"
            response.headers["WWW-Authenticate"] = f'Keystone uri="{where}"'


def make_authority(parts: Parts) -> Authority:
    """Make what issues and checks tokens.

    :raises errors.ConfigError: when the key that signs them cannot be read
    """
    settings = parts.conf.identity
    return Authority(parts.db, tokens.Signer(tokens.read_key(settings.token_key_file)), settings.token_expiration)


def app_factory(global_conf: dict[str, str]) -> IdentityApplication:
    """Make the Paste application ``identity_app``."""
    parts = current_parts()
    authority = make_authority(parts)
    passwords = Passwords(parts.aside, memory_kib=parts.conf.identity.password_hash_memory)
    authenticator = Authenticator(parts.db, authority, passwords)
    return IdentityApplication(Service(parts.db, authority, authenticator, passwords))
