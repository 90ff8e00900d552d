"""The gate before a server's methods: it lets a message pass if the declaration of its method names the sender's kind.

    @rpc.cast(since="1.0", by={"api", "operator"})

The library knows broker users, and no kinds.  The application hands it ``identity_of``, which finds the identity of a
broker user and so its kind, and ``why_not``, which may refuse by the arguments what the kind alone may ask for.  A gate
without ``identity_of`` is open: it lets everything pass, for projects whose processes all share one broker user.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mininova.rpc.interface import ANYBODY, Interface, Method
from mininova.rpc.trust.denials import forbidden

Arguments = Mapping[str, Any]


class Identity(Protocol):
    """What the gate asks of an identity."""

    @property
    def kind(self) -> str:
        """Give the word that declarations have for identities like this one, ``api``."""


#: Finds the identity of a broker user; None for a user, or for no user, that the application does not know.
IdentityOf = Callable[[str | None], Identity | None]


def _no_objection(identity: Any, method: Method, arguments: Arguments) -> str:
    return ""


def _no_object(arguments: Arguments) -> str:
    return ""


@dataclass(frozen=True)
class Gate:
    """Let messages pass, or raise Forbidden.

    :param identity_of: finds who sent a message; None opens the gate to all
    :param why_not: says why these arguments are not for this identity, or "" when they are
    :param about: names what a message is about, for the denial
    """

    identity_of: IdentityOf | None = None
    why_not: Callable[[Any, Method, Arguments], str] = _no_objection
    about: Callable[[Arguments], str] = _no_object

    def check_declared(self, interface: type[Interface]) -> None:
        """Make sure that every method says who may call it, where that counts.

        :raises TypeError: naming a method that does not
        """
        silent = [name for name, method in interface.methods.items() if not method.by]
        if silent and self.identity_of is not None:
            raise TypeError(f"{interface.__name__}.{silent[0]} does not say who may call it: by={{...}} does")

    def __call__(self, caller: str | None, method: Method, arguments: Arguments) -> None:
        """Let a message pass.

        :raises Forbidden: saying why it may not
        """
        if self.identity_of is None or method.by is ANYBODY:
            return
        if reason := self._reason(self.identity_of(caller), method, arguments):
            raise forbidden(caller, method.name, self.about(arguments), reason)

    def _reason(self, identity: Identity | None, method: Method, arguments: Arguments) -> str:
        if identity is None:
            return "its identity is not known here"
        if identity.kind not in method.by:
            return f"{_listed(method.by)} may, and it is of the kind {identity.kind}"
        return self.why_not(identity, method, arguments)


#: The gate that lets everything pass.
OPEN = Gate()


def _listed(kinds: frozenset[str]) -> str:
    return f"only {' and '.join(sorted(kinds))}" if kinds else "nothing"
