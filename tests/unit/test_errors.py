"""Every error can be written as a sentence, sent and received."""

from string import Formatter

import pytest

from mininova import errors, objects, rpc
from mininova.errors import REGISTRY, MininovaError
from mininova.rpc import parking, plain
from mininova.rpc.transports.base import Message

OURS = {name: cls for name, cls in REGISTRY.items() if cls.__module__.startswith("mininova.")}
CODEC = rpc.Codec(errors=REGISTRY)


def named_in(template):
    """Give the details that a template names."""
    return {name: f"the {name}" for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("cls", OURS.values(), ids=OURS.keys())
def test_an_error_says_its_details(cls):
    """Each detail is in its sentence."""
    details = named_in(cls.template)
    error = cls(**details)

    assert all(value in str(error) for value in details.values())
    assert error.details == details


@pytest.mark.parametrize("cls", OURS.values(), ids=OURS.keys())
def test_an_error_crosses_the_wire(cls):
    """It arrives as its own class, with its sentence and its details, or with those that others are told."""
    error = cls(**named_in(cls.template))
    heard = CODEC.error_of(CODEC.failure_of(error))

    told = (cls.outside, {}) if cls.outside else (str(error), error.details)
    assert (type(heard), str(heard), heard.details) == (cls, *told)


def test_where_the_database_is_stays_inside():
    """A compute, which may be taken over, learns nothing of the database; nor do parked messages and the flow."""
    error = errors.DatabaseAway("The database postgresql+psycopg://nova:***@db.internal/nova cannot be reached")
    message = Message(body=b"", exchange="", routing_key="conductor", message_id="1")
    told = [CODEC.failure_of(error), parking.notes(message, error), plain.outside(error)]

    assert "db.internal" not in str(told)
    assert str(told).count("the log of the service that asked it says why") == 4


@pytest.mark.parametrize("cls", OURS.values(), ids=OURS.keys())
def test_an_error_has_an_http_status_and_a_docstring(cls):
    """A user may get any error."""
    assert 400 <= cls.http_status < 600
    assert cls.__doc__
    assert isinstance(cls.definite, bool)


def test_a_message_of_ones_own_replaces_the_template():
    """The text is used as it is, also with braces in it."""
    error = errors.InstanceNotFound("no {such} instance", instance_uuid="u")

    assert str(error) == "no {such} instance"
    assert error.details == {"instance_uuid": "u"}


def test_braces_in_details_are_only_text():
    """A detail of a user's is not read as a template."""
    assert "{0} {x}" in str(errors.InvalidInput(reason="{0} {x}"))


def test_names_are_registered_once():
    """No two errors, ours or the library's, have the same name."""
    assert len({cls.__name__ for cls in OURS.values()}) == len(OURS)
    assert not set(OURS) & set(rpc.errors.WIRE)
    assert OURS["IncompatibleObject"] is objects.IncompatibleObject
    assert all(issubclass(cls, MininovaError) for cls in OURS.values())
