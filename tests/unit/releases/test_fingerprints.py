"""A fingerprint shows every change that a peer of another version would notice."""

from typing import Annotated, Any

import msgspec
import pytest

from mininova import rpc
from tests.fixtures.fingerprints import explain, of_interface


class API(rpc.Interface):
    """The interface that others are compared with."""

    topic, version = "lamp", "1.0"

    @rpc.call(since="1.0")
    def get(self, ctxt: Any, name: str, size: int | None = None) -> list[str]:
        """Look at a lamp."""


PLAIN = of_interface(API)


def changed(function: Any) -> Any:
    """Give the fingerprint of the interface with another method in it."""
    return of_interface(type("API", (API,), {"get": function}))


def test_a_fingerprint_can_be_read():
    """It is stored in a file that people review."""
    assert PLAIN == {
        "topic": "lamp",
        "version": "1.0",
        "methods": {"get": "call since 1.0: (name: str, size: int | None = None) -> list[str]"},
    }


@rpc.call(since="1.0", idempotent=True)
def idempotent(self: Any, ctxt: Any, name: str, size: int | None = None) -> list[str]: ...


@rpc.cast(since="1.0")
def cast(self: Any, ctxt: Any, name: str, size: int | None = None) -> list[str]: ...


@rpc.call(since="1.1")
def newer(self: Any, ctxt: Any, name: str, size: int | None = None) -> list[str]: ...


@rpc.call(since="1.0")
def other_type(self: Any, ctxt: Any, name: bytes, size: int | None = None) -> list[str]: ...


@rpc.call(since="1.0")
def other_default(self: Any, ctxt: Any, name: str, size: int | None = 3) -> list[str]: ...


@rpc.call(since="1.0")
def other_result(self: Any, ctxt: Any, name: str, size: int | None = None) -> list[int]: ...


@rpc.call(since="1.0")
def other_name(self: Any, ctxt: Any, title: str, size: int | None = None) -> list[str]: ...


@rpc.call(since="1.0")
def later_argument(
    self: Any, ctxt: Any, name: str, size: Annotated[int | None, rpc.since("1.1")] = None
) -> list[str]: ...


CHANGES = [idempotent, cast, newer, other_type, other_default, other_result, other_name, later_argument]


@pytest.mark.parametrize("function", CHANGES)
def test_every_change_of_a_method_is_seen(function: Any):
    """A change of its kind, version, arguments or result changes the fingerprint."""
    assert changed(function) != PLAIN


Size = Annotated[int, msgspec.Meta(title="a size")]


@rpc.call(since="1.0")
def same(self: Any, ctxt: Any, name: str, size: None | Size = None) -> list[str]:  # noqa: RUF036  # the other way round
    """Look at one, in other words."""


def test_equal_declarations_have_equal_fingerprints():
    """Docstrings, the order of alternatives and notes do not change the fingerprint."""
    assert changed(same) == PLAIN


def test_the_error_says_what_to_do():
    """It says to raise the version, or, if that was done, to store the new fingerprint."""
    assert "has changed and is still 1.0" in explain("API", PLAIN, {**PLAIN, "methods": {}})
    assert "API 1.1 is new" in explain("API", PLAIN, {**PLAIN, "version": "1.1"})
    assert "API 1.0 is new" in explain("API", None, PLAIN)
