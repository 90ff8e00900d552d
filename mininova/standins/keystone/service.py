"""What every handler of the identity service works with, put together once."""

from dataclasses import dataclass

from mininova.db.session import Database
from mininova.standins.keystone.authentication import Authenticator
from mininova.standins.keystone.authority import Authority
from mininova.standins.keystone.passwords import Passwords
from mininova.wsgi import Request


@dataclass(frozen=True)
class Service:
    """The database, what issues tokens and checks passwords, and the name that the cloud goes by.

    :param public_endpoint: ``[api] public_endpoint``; without it the cloud is called what the caller called it
    """

    db: Database
    authority: Authority
    authenticator: Authenticator
    passwords: Passwords
    public_endpoint: str | None = None

    def endpoint(self, request: Request) -> str:
        """Say how the caller reaches the cloud, without a slash at the end."""
        return (self.public_endpoint or request.host_url).rstrip("/")

    def link(self, request: Request, path: str = "") -> str:
        """Make a link to something of the Identity API, ``/users/1``."""
        return f"{self.endpoint(request)}{request.script_name}/v3{path}"
