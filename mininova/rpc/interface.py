"""Declare an RPC interface once; the client, the server's contract and the version history derive from it.

::

    class ComputeAPI(rpc.Interface):
        topic, version = "compute", "1.2"

        @rpc.cast(since="1.0", by={"api"})
        def reboot_instance(self, ctxt, instance: Instance, kind: Annotated[str, rpc.since("1.2")] = "SOFT") -> None:
            '''Reboot; before 1.2 every reboot was SOFT.'''

    ComputeAPI(peer).on("host-1").reboot_instance(ctxt, instance)

The body of a declared method is never run: an instance of the interface is its client.  ``by`` names the kinds of
sender that may call a method (trust/gate.py); projects that do not tell senders apart leave it out.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import cached_property, partial
from typing import Any, ClassVar, Protocol, Self, TypeVar, get_type_hints

import msgspec
from msgspec import inspect as types

from mininova.rpc import plain
from mininova.rpc.errors import InvalidArguments, UnsupportedVersion
from mininova.rpc.versions import Levels, Version, common, since_of

F = TypeVar("F", bound=Callable[..., Any])

CALL, CAST, FANOUT = "call", "cast", "fanout"

#: ``by=ANYBODY``: every sender may call this method, known or not.
ANYBODY = frozenset({"anybody"})


class Method:
    """One declared method: its kind, who may call it, its arguments, and the version that brought it and each of them.

    :raises TypeError: when ``by`` is one word instead of a set of words
    """

    def __init__(
        self, function: Callable[..., Any], kind: str, since: str, by: Collection[str], idempotent: bool
    ) -> None:
        if isinstance(by, str):
            raise TypeError(f"{function.__name__}: by={by!r} is one word, and by={{{by!r}}} a set of kinds")
        self.function, self.kind, self.idempotent = function, kind, idempotent
        self.by = frozenset(by)
        self.name, self.doc = function.__name__, inspect.getdoc(function) or ""
        self.since = Version.parse(since)
        self.parameters = list(inspect.signature(function).parameters.values())[2:]  # without self and ctxt
        hints = get_type_hints(function, include_extras=True)
        self.result = hints.get("return", Any)
        marks = {p.name: mark for p in self.parameters if (mark := since_of(hints[p.name]))}
        self.argument_since = {name: mark.version for name, mark in marks.items()}
        self._dispensable = {name for name, mark in marks.items() if mark.dispensable}
        self.arguments = msgspec.defstruct(
            f"{self.name} arguments",
            [
                (p.name, hints[p.name]) if p.default is p.empty else (p.name, hints[p.name], p.default)
                for p in self.parameters
            ],
            forbid_unknown_fields=True,
            kw_only=True,
        )
        self.signature = inspect.Signature(self.parameters)
        self._positional = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in self.parameters)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, client: "Interface | None", owner: type) -> Any:
        if client is None:
            return self
        return partial(client._send, self)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any], speaks: Version) -> dict[str, Any]:
        """Name the arguments of one use, leaving out newer ones that are at their default, or can be done without.

        :param speaks: the newest version that the receivers know
        :raises InvalidArguments: naming what is missing, unknown or of the wrong type
        """
        named = self._named(args, kwargs)
        self.read(named)  # the receiver would refuse a wrong type; here there is a stack to find it by
        return {
            name: value
            for name, value in named.items()
            if name not in self.argument_since or self._worth_sending(name, value, speaks)
        }

    def _named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if not kwargs and len(args) == self._positional == len(self.parameters):  # as most are; what follows is slow
            return {parameter.name: value for parameter, value in zip(self.parameters, args, strict=True)}
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InvalidArguments(f"{self.name}: {error}") from None
        bound.apply_defaults()
        return bound.arguments

    def _worth_sending(self, name: str, value: Any, speaks: Version) -> bool:
        unknown = self.argument_since[name] > speaks and name in self._dispensable
        return not unknown and bool(value != self.signature.parameters[name].default)

    def needs(self, arguments: Mapping[str, Any]) -> Version:
        """Tell the lowest version that can carry these arguments."""
        return max([self.since, *(self.argument_since[name] for name in arguments if name in self.argument_since)])

    def read(self, arguments: Any) -> dict[str, Any]:
        """Decode what arrived into the declared types.

        :raises InvalidArguments: naming the argument that is missing, unknown or of the wrong type
        """
        try:
            values = msgspec.convert(arguments, self.arguments)
        except msgspec.ValidationError as error:
            raise InvalidArguments(f"{self.name}: {error}") from None
        except RecursionError:
            raise InvalidArguments(f"{self.name}: its arguments are nested too deep to be read") from None
        return {p.name: getattr(values, p.name) for p in self.parameters}

    def check_arguments(self, arguments: Mapping[str, Any], unwrap: Callable[[Any], Any]) -> None:
        """See that arguments, as plain data, arrive as they are, where their types do not see to it.

        :raises InvalidArguments: naming the place that would be read as something else
        """
        try:
            for name in self._doubtful & arguments.keys():
                plain.check(arguments[name], name, _reader(self._types[name], unwrap))
        except plain.Unsendable as error:
            raise InvalidArguments(f"{self.name}: {error}") from None

    def check_reply(self, result: Any, unwrap: Callable[[Any], Any]) -> None:
        """See that a result, as plain data, arrives as it is, where its type does not see to it.

        :raises Unsendable: naming the place that would be read as something else
        """
        if self._doubtful_result:
            plain.check(result, "result", _reader(self.result, unwrap))

    def check_result(self, result: Any) -> None:
        """See that a result is what was declared: its caller would refuse anything else.

        :raises TypeError: naming what is wrong
        """
        try:
            msgspec.convert(result, self.result)
        except msgspec.ValidationError as error:
            raise TypeError(f"{self.name} has a result that is not as declared: {error}") from None

    @cached_property
    def _doubtful_result(self) -> bool:
        return plain.is_doubtful(types.type_info(self.result))

    @cached_property
    def _types(self) -> dict[str, Any]:
        return get_type_hints(self.arguments, include_extras=True)

    @cached_property
    def _doubtful(self) -> set[str]:
        return {name for name, declared in self._types.items() if plain.is_doubtful(types.type_info(declared))}


def _reader(declared: Any, unwrap: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda sent: msgspec.convert(unwrap(sent), declared)


def call(*, since: str, by: Collection[str] = (), idempotent: bool = False) -> Callable[[F], F]:
    """Declare a method whose caller waits for the answer.

    :param by: the kinds of sender that may call it, or ANYBODY
    :param idempotent: doing it twice is doing it once, so it may be sent again inside its deadline
    """
    return _declare(CALL, since, by, idempotent)


def cast(*, since: str, by: Collection[str] = ()) -> Callable[[F], F]:
    """Declare a method whose sender does not wait.  It is delivered at least once: the handler must be idempotent."""
    return _declare(CAST, since, by, True)


def fanout(*, since: str, by: Collection[str] = ()) -> Callable[[F], F]:
    """Declare a method that goes to every server of the topic, as best the broker can."""
    return _declare(FANOUT, since, by, True)


def _declare(kind: str, since: str, by: Collection[str], idempotent: bool) -> Callable[[F], F]:
    def declared(function: F) -> F:
        method: Any = Method(function, kind, since, by, idempotent)
        return method  # type: ignore[no-any-return]  # to a type checker it is still the function

    return declared


class Sender(Protocol):
    """What an interface asks of this process's end of the messaging, which is a Peer."""

    def levels(self) -> Levels:
        """Give what the receivers are known to speak."""

    def send(
        self,
        method: Method,
        ctxt: Any,
        arguments: dict[str, Any],
        *,
        topic: str,
        host: str | None,
        namespace: str | None,
        version: str,
        timeout: float | None,
    ) -> Any:
        """Send one use of a declared method; for a call, wait for its result."""


class Interface:
    """Base of every interface: subclasses declare methods, instances send them.

    :param peer: this process's end of the messaging; it knows what the receivers speak, where it was told
    :param topic: the topic to ask, for an interface that many topics serve
    :param pin: the newest version the receivers are known to speak, in place of what the peer knows
    :raises UnsupportedVersion: when the pin is no version this interface can speak
    """

    topic: ClassVar[str]
    version: ClassVar[str]
    namespace: ClassVar[str | None] = None
    methods: ClassVar[dict[str, Method]] = {}

    def __init_subclass__(cls) -> None:
        cls.methods = {**cls.methods, **{name: m for name, m in vars(cls).items() if isinstance(m, Method)}}

    def __init__(self, peer: Sender, *, topic: str | None = None, pin: str | None = None) -> None:
        self._peer, self._host = peer, None  # type: Sender, str | None
        self._topic, self._pin = topic or self.topic, pin
        self._timeout: float | None = None
        if pin is not None and not Version.parse(self.version).accepts(Version.parse(pin)):
            name = type(self).__name__
            raise UnsupportedVersion(
                f"{name} {self.version} cannot speak {pin}, to which it is pinned",
                service=self._topic, interface=name, asked=pin, offered=self.version,
            )  # fmt: skip

    def on(self, host: str) -> Self:
        """Narrow to the server on one host."""
        return self._narrowed(_host=host)

    def within(self, seconds: float) -> Self:
        """Narrow to a shorter, or longer, deadline for calls."""
        return self._narrowed(_timeout=seconds)

    def _narrowed(self, **changes: Any) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, **changes)
        return other

    def _send(self, method: Method, /, ctxt: Any, *args: Any, **kwargs: Any) -> Any:
        speaks = self._speaks(method)
        arguments = method.bind(args, kwargs, speaks)
        needed = method.needs(arguments)
        if not speaks.accepts(needed):
            raise self._unsupported(method, needed, str(speaks))
        return self._peer.send(
            method, ctxt, arguments,
            topic=self._topic, host=self._host, namespace=self.namespace, version=str(needed), timeout=self._timeout,
        )  # fmt: skip

    def _speaks(self, method: Method) -> Version:
        """Find the newest version that we and all receivers speak."""
        known = (self._pin,) if self._pin else self._peer.levels().get(self.namespace or self._topic, ())
        speaks = common(self.version, known)
        if speaks is None:
            raise self._unsupported(method, method.since, " and ".join(sorted(known)))
        return speaks

    def _unsupported(self, method: Method, needed: Version, spoken: str) -> UnsupportedVersion:
        name = type(self).__name__
        return UnsupportedVersion(
            f"{self._topic}.{method.name} needs version {needed} of {name}, and its receivers speak {spoken}",
            service=self._topic, interface=name, asked=str(needed), offered=spoken,
        )  # fmt: skip
