"""The gate before each of our services: who sent a message, what it is about, and what a compute may say in it.

Who may call a method is in its declaration (``by`` in the rpcapi modules).  The library asks there; here it is handed
our identities.  For a compute the kind is not enough: the conductor has a table of checks, method by method, of the
arguments that a compute sends (conductor/checks/arguments.py).  What depends on a row of the database is not decided
here, but where the row is.

The model is Kubernetes' Node authorizer (k8s: plugin/pkg/auth/authorizer/node); docs/adr/0009 says why.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mininova import rpc
from mininova.trust.identities import COMPUTE, Identity
from mininova.trust.replies import IdentityOf

Arguments = Mapping[str, Any]

#: Says why a compute may not send these arguments; "" when it may.
Check = Callable[[Identity, Arguments], str]

NO_CHECKS: Mapping[str, Sequence[Check]] = {}

#: Argument → what a message with it is about.  The first that a message has counts.
_ABOUT: Mapping[str, Callable[[Any], str]] = {
    "instance": lambda instance: str(instance.uuid),
    "instances": lambda instances: ", ".join(instance.uuid for instance in instances),
    "instance_uuids": ", ".join,
    "migration": lambda migration: str(migration.instance_uuid),
    "uuid": str,
    "host": lambda host: f"host {host}",
    "service": lambda service: f"host {service.host}",
    "task_log": lambda log: f"host {log.host}",
    "aggregate": lambda aggregate: f"aggregate {aggregate}",
    "password_hash": lambda hashed: "its password",
}


def gate(identity_of: IdentityOf, checks: Mapping[str, Sequence[Check]] = NO_CHECKS) -> rpc.Gate:
    """Make the gate of a service.

    :param identity_of: finds the identity of a broker user
    :param checks: method → what the arguments of a compute must pass; a method that is not in it is for no compute
    """

    def why_not(identity: Identity, method: rpc.Method, arguments: Arguments) -> str:
        if identity.kind != COMPUTE:
            return ""
        if method.name not in checks:
            return "no check says what a compute may send in it"
        return next((reason for check in checks[method.name] if (reason := check(identity, arguments))), "")

    return rpc.Gate(identity_of, why_not, about)


def about(arguments: Arguments) -> str:
    """Name what a message is about: instances by their uuids, a host, or an aggregate of hosts."""
    return next((name(arguments[argument]) for argument, name in _ABOUT.items() if argument in arguments), "")
