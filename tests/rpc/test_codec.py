"""Errors on the wire: by registered name, and never by import."""

import pytest

from mininova import rpc
from tests.fixtures.rpc_bench import LampBroken

codec = rpc.Codec(errors={"LampBroken": LampBroken})


def test_an_error_is_described_in_oslo_messagings_shape():
    """The traceback stays with the process that raised it."""
    assert codec.failure_of(LampBroken("dark", name="desk")) == {
        "class": "LampBroken",
        "module": "tests.fixtures.rpc_bench",
        "message": "dark",
        "tb": [],
        "args": ["dark"],
        "kwargs": {"name": "desk"},
        "definite": False,
    }


def test_a_registered_error_is_made_again():
    """The caller gets its class, its sentence and its details."""
    error = codec.error_of(codec.failure_of(LampBroken("dark", name="desk")))

    assert (type(error), str(error), error.details) == (LampBroken, "dark", {"name": "desk"})


@pytest.mark.parametrize("definite", [True, False])
def test_whether_the_work_was_done_travels_with_the_librarys_errors(definite):
    """The server knows whether the library's error is definite; an application's error is as its author declared it."""
    timeout = codec.error_of(codec.failure_of(rpc.MessagingTimeout("late", definite=definite)))
    broken = codec.error_of({**codec.failure_of(LampBroken("dark")), "definite": definite})

    assert timeout.definite is definite
    assert not hasattr(broken, "definite")


@pytest.mark.parametrize("name", ["os.system", "KeyError", "SystemExit", "", None, 7, ["LampBroken"]])
def test_an_unknown_error_is_a_remote_error(name):
    """Only its text arrives."""
    error = codec.error_of({"class": name, "module": "builtins", "message": "dark"})

    assert type(error) is rpc.RemoteError
    assert error.details == {"code": str(name), "remote_message": "dark"}


@pytest.mark.parametrize("cls", [rpc.UnsupportedVersion, rpc.NoSuchMethod, rpc.InvalidArguments, rpc.MessagingTimeout])
def test_the_librarys_own_refusals_need_no_registration(cls):
    """The caller gets the library's own classes."""
    error = rpc.Codec().error_of(rpc.Codec().failure_of(cls("no", asked="1.2")))

    assert (type(error), error.details) == (cls, {"asked": "1.2"})


def test_anothers_undeliverable_message_was_not_ours():
    """Undeliverable means that our message was not delivered, so one from another process becomes a RemoteError."""
    error = codec.error_of(codec.failure_of(rpc.Undeliverable("nothing serves it")))

    assert type(error) is rpc.RemoteError
    assert not error.definite


@pytest.mark.parametrize("kwargs", [{"message": "twice"}, {"self": 1}, [1], "text", None])
def test_details_that_fit_no_constructor_do_no_harm(kwargs):
    """Details come from outside: those that do not fit are kept apart, and the error is made all the same."""
    error = codec.error_of({"class": "LampBroken", "message": "dark", "kwargs": kwargs})

    assert (str(error), error.details) == ("dark", kwargs if isinstance(kwargs, dict) else {})
