"""Who may ask what of a service: its closed table, and the gate that stands before its handlers.

Each service has a table of its own, in the module ``admission`` beside its manager.  rpc.Server asks the gate before a
handler runs, with the identity that the broker vouches for and never with a field of the message.  What a table does
not name is nobody's to ask.  Whatever depends on a row of the database is not decided here, but where the row is.

The model is Kubernetes' Node authorizer (k8s: plugin/pkg/auth/authorizer/node); docs/adr/0009 says why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mininova import rpc
from mininova.trust.identities import COMPUTE, Identity

Arguments = Mapping[str, Any]
Check = Callable[[Identity, Arguments], str]


def _nothing(arguments: Arguments) -> str:
    return ""


@dataclass(frozen=True)
class Rule:
    """Who may use one method.

    :param kinds: of identity
    :param about: names the thing that a message is about, for the log of denials
    :param checks: what a compute's arguments must fulfil; each says why they do not, or ""
    """

    kinds: frozenset[str]
    about: Callable[[Arguments], str] = _nothing
    checks: tuple[Check, ...] = ()


class Gate:
    """Admit messages by a table; it is what ``rpc.Server(admit=…)`` takes.

    :param rules: method → who may use it
    :param identity_of: finds the identity of a broker user; None for one that is nobody here
    """

    def __init__(self, rules: Mapping[str, Rule], identity_of: Callable[[str | None], Identity | None]) -> None:
        self._rules, self._identity_of = rules, identity_of

    def __call__(self, caller: str | None, method: rpc.Method, arguments: Arguments) -> None:
        """Let a message pass.

        :raises rpc.Forbidden: saying why it may not
        """
        rule = self._rules.get(method.name)
        if reason := _why_not(rule, self._identity_of(caller), arguments):
            raise forbidden(caller, method.name, rule.about(arguments) if rule else "", reason)


def _why_not(rule: Rule | None, identity: Identity | None, arguments: Arguments) -> str:
    if identity is None:
        return "it is nobody that is known here"
    if rule is None or identity.kind not in rule.kinds:
        return f"this is not for one of the kind {identity.kind}"
    checks = rule.checks if identity.kind == COMPUTE else ()
    return next((reason for check in checks if (reason := check(identity, arguments))), "")


def forbidden(caller: str | None, method: str, about: str, reason: str) -> rpc.Forbidden:
    """Make the error that tells a caller, and the list of denials, what it may not do and why."""
    return rpc.Forbidden(
        f"{caller or 'a sender without a name'} may not {method}{f' {about}' if about else ''}: {reason}",
        caller=caller, method=method, object=about,
    )  # fmt: skip


def about_instance(arguments: Arguments) -> str:
    """Name the instance of a message."""
    return str(arguments["instance"].uuid)
