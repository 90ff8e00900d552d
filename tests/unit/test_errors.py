"""Every error can be written as a sentence, sent and received."""

from string import Formatter

import pytest

from mininova import errors, objects, rpc
from mininova.errors import REGISTRY, MininovaError

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
    """It arrives as its own class, with its sentence and its details."""
    error = cls(**named_in(cls.template))
    heard = CODEC.error_of(CODEC.failure_of(error))

    assert (type(heard), str(heard), heard.details) == (cls, str(error), error.details)


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
