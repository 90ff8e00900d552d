"""A value arrives as it was sent, or it is not sent: the sender gets an error at once for what the receiver could not
read.
"""

import enum
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova import rpc
from mininova.rpc import plain
from tests.fixtures.rpc_bench import LampBroken, MemoryBench


class Reading(msgspec.Struct, frozen=True):
    """Has a place of any type among places of declared types."""

    amount: float
    at: datetime
    raw: bytes = b""
    tags: frozenset[str] = frozenset()
    by_number: dict[int, str] = {}
    more: Any = None


class EchoAPI(rpc.Interface):
    """Gives back what it is sent."""

    topic, version = "echo", "1.0"

    @rpc.call(since="1.0")
    def anything(self, ctxt: Any, value: Any) -> Any:
        """Give back any value."""

    @rpc.call(since="1.0")
    def reading(self, ctxt: Any, value: Reading) -> Reading:
        """Give back a value of a declared type."""

    @rpc.call(since="1.0")
    def result(self, ctxt: Any, name: str) -> float:
        """Give what the server made of a name."""


class Echo:
    """Implements EchoAPI and keeps what it gets, with its context."""

    def __init__(self, **results):
        self.heard, self.results = [], results

    def anything(self, ctxt, value):
        """See EchoAPI."""
        self.heard.append((ctxt, value))
        return value

    reading = anything

    def result(self, ctxt, name):
        """See EchoAPI."""
        if isinstance(self.results[name], Exception):
            raise self.results[name]
        return self.results[name]


def echo(**results):
    """Give a client of a server, and the server's manager."""
    bench, manager = MemoryBench(), Echo(**results)
    bench.serve(manager, api=EchoAPI)
    return EchoAPI(bench.peer()), manager


def as_lists(value: Any) -> Any:
    """Give a value with lists in place of tuples, the one thing that JSON may change."""
    if isinstance(value, (list, tuple)):
        return [as_lists(item) for item in value]
    return {key: as_lists(item) for key, item in value.items()} if isinstance(value, dict) else value


class Colour(enum.Enum):
    """An enum: not plain data."""

    RED = "red"


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(min_value=-(10**30), max_value=10**30), st.floats(),
    st.text(st.characters(codec=None, exclude_categories=())), st.binary(), st.datetimes(), st.decimals(),
    st.uuids(), st.just(Colour.RED), st.complex_numbers(), st.sets(st.integers()), st.just(object()),
    st.builds(Reading, st.floats(), st.datetimes()),
)  # fmt: skip
KEYS = st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.dates(), st.tuples(st.integers()))
ANYTHING = st.recursive(
    LEAVES,
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.lists(inside, max_size=4).map(tuple)
        | st.dictionaries(st.text() | KEYS, inside, max_size=4)
    ),
    max_leaves=8,
)
READINGS = st.builds(
    Reading, st.floats(), st.datetimes() | st.datetimes(timezones=st.just(UTC)), st.binary(), st.frozensets(st.text()),
    st.dictionaries(st.integers(), st.text(), max_size=2), ANYTHING,
)  # fmt: skip


@given(st.one_of(ANYTHING.map(lambda value: ("anything", value)), READINGS.map(lambda value: ("reading", value))))
def test_an_argument_arrives_or_is_refused(sent):
    """The handler gets the argument and the caller the result unchanged, or the argument is not sent."""
    method, value = sent
    client, manager = echo()
    try:
        answer = getattr(client, method)({}, value)
    except rpc.InvalidArguments:
        assert manager.heard == []
    else:
        ((_, heard),) = manager.heard
        assert as_lists(msgspec.structs.asdict(heard) if method == "reading" else heard) == as_lists(
            msgspec.structs.asdict(value) if method == "reading" else value
        )
        assert as_lists(answer) == as_lists(heard)


@given(ANYTHING | st.dictionaries(st.text(), ANYTHING, max_size=3))
def test_a_context_arrives_or_is_refused(ctxt):
    """The handler gets the context unchanged, or nothing is sent, and the error says why."""
    client, manager = echo()
    try:
        client.anything(ctxt, 1)
    except rpc.InvalidArguments:
        assert manager.heard == []
    else:
        assert isinstance(ctxt, Mapping)
        assert as_lists(manager.heard) == as_lists([(ctxt, 1)])


def nested(depth: int) -> Any:
    """Give a list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (math.nan, "value is nan, and JSON has no such number"),
        ({"a": [1, {"b": -math.inf}]}, r"value\.a\[1\]\.b is -inf, and JSON"),
        ({"a": {7: 1}}, r"value\.a has the key 7, which is no text"),
        ({"a": b"x"}, r"value\.a is of the type bytes, and would be read as str"),
        ([{1, 2}], r"value\[0\] is of the type set, and would be read as list"),
        (UUID(int=7), "value is of the type UUID, and would be read as str"),
        (["\ud800"], r"value\[0\] has half a character"),
        ({"\ud800": 1}, r"value \(a key\) has half a character"),
        ({"a": object()}, r"value\.a is of the type object, and has no form in JSON"),
        (10**5000, "value is too large a number"),
        (ENDLESS, "is nested more than 100 deep"),
        (nested(5_000), "is nested more than 100 deep"),
        (nested(100), "is nested more than 100 deep"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_the_error_names_the_place_that_is_wrong(value, complaint):
    """The error names the argument, the place in it and what is wrong there, and nothing is sent."""
    client, manager = echo()

    with pytest.raises(rpc.InvalidArguments, match=f"^anything: .*{complaint}"):
        client.anything({}, value)
    assert manager.heard == []


@pytest.mark.parametrize("value", [nested(90), ["[{" * 500], 2**70, ("a", "b"), {"": None}])
def test_unusual_values_are_not_refused(value):
    """Large numbers, tuples, brackets in a text and deep nesting within the limit go through."""
    client, _ = echo()

    assert client.anything({}, value) == as_lists(value)


@pytest.mark.parametrize(
    ("ctxt", "complaint"),
    [
        ("admin", "a context is a mapping of names to plain data, not 'admin'"),
        (None, "a context is a mapping of names to plain data, not None"),
        ({"at": datetime(2026, 1, 1)}, "at is of the type datetime"),
        ({"load": math.nan}, "load is nan"),
        ({1: "x"}, "has the key 1"),
    ],
)
def test_a_context_that_cannot_travel_is_refused_as_one(ctxt, complaint):
    """A context that cannot travel is refused as a context, by any method."""
    client, _ = echo()

    with pytest.raises(rpc.InvalidArguments, match=f"^anything: its context cannot be sent: .*{complaint}"):
        client.anything(ctxt, 1)


def test_a_context_that_an_application_makes_is_looked_at_too():
    """A context that the codec makes is refused if it cannot travel."""
    bench = MemoryBench()
    codec = rpc.Codec(context_to_wire=lambda ctxt: {"load": ctxt})

    with pytest.raises(rpc.InvalidArguments, match="anything: its context cannot be sent: load is nan"):
        EchoAPI(bench.peer(codec=codec)).anything(math.nan, 1)


@pytest.mark.parametrize(
    ("result", "complaint"),
    [("dark", "Expected `float`, got `str`"), (math.nan, "result is nan"), (None, "Expected `float`, got `null`")],
)
def test_a_result_that_its_caller_could_not_read_is_the_handlers_fault(result, complaint, caplog):
    """The caller gets an error at once, which says that the handler ran and what is wrong with its result; the server
    logs it.
    """
    client, _ = echo(lamp=result)

    with pytest.raises(rpc.RemoteError, match=complaint) as refusal:
        client.result({}, "lamp")
    assert not refusal.value.definite
    assert "result failed" in caplog.text


class Mute(Exception):
    """An error whose text cannot be made."""

    def __str__(self) -> str:
        raise ValueError("none")


@pytest.mark.parametrize(
    ("error", "message", "details"),
    [
        (LampBroken("half \ud800"), "half ?", {}),
        (LampBroken("x" * 20_000), "x" * 8_192 + "…", {}),
        (LampBroken("dark", load=math.nan, host="a"), "dark", {"load": "nan", "host": "a"}),
        (LampBroken("dark", all=ENDLESS), "dark", {"all": "[[...]]"}),
        (LampBroken("dark", lamp=b"x"), "dark", {"lamp": "b'x'"}),
        (LampBroken("dark", much=["x" * 8_000] * 10), "dark", {}),
    ],
    ids=range(6),
)
def test_a_failure_always_arrives(error, message, details):
    """The caller gets the error and no timeout, however odd its words and details are."""
    client, _ = echo(lamp=error)

    with pytest.raises(LampBroken) as heard:
        client.result({}, "lamp")
    assert (str(heard.value), heard.value.details) == (message, details)


def test_an_error_without_words_arrives():
    """The caller gets the name of an error whose text cannot be made."""
    client, _ = echo(lamp=Mute())

    with pytest.raises(rpc.RemoteError, match="Mute, whose text cannot be had: ValueError"):
        client.result({}, "lamp")


def test_an_error_that_is_not_made_of_a_message_is_a_remote_error():
    """A registered class whose constructor takes other arguments does not leave its caller waiting."""

    class TwoWords(Exception):
        def __init__(self, first, second):
            super().__init__(f"{first} {second}")

    bench, codec = MemoryBench(), rpc.Codec(errors={"TwoWords": TwoWords})
    bench.serve(Echo(lamp=TwoWords("too", "dark")), api=EchoAPI, codec=codec)

    with pytest.raises(rpc.RemoteError, match="TwoWords: too dark"):
        EchoAPI(bench.peer(codec=codec)).result({}, "lamp")


@pytest.mark.parametrize(
    ("declared", "doubtful"),
    [
        (str, False),
        (dict[int, datetime], False),
        (float, True),
        (Annotated[float, msgspec.Meta(ge=0)], False),
        (dict[str, Any], True),
        (list[Reading], True),
    ],
)
def test_what_is_looked_at(declared, doubtful):
    """What of its type arrives as it is costs no look: all but what has no type, and what may be no number."""
    assert plain.is_doubtful(msgspec.inspect.type_info(declared)) is doubtful
