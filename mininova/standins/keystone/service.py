"""What every handler of the identity service works with, put together once."""

from dataclasses import dataclass

from mininova.db.session import Database
from mininova.standins.keystone.authentication import Authenticator
from mininova.standins.keystone.authority import Authority
from mininova.standins.keystone.passwords import Passwords
from mininova.wsgi import Request


@dataclass(frozen=True)
class Service:
    """The database, what issues tokens and checks passwords."""

    db: Database
    authority: Authority
    authenticator: Authenticator
    passwords: Passwords

    def link(self, request: Request, path: str = "") -> str:
        """Make a link to something of the Identity API, ``/users/1``."""
        return f"{request.service_endpoint}/v3{path}"
