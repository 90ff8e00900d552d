"""Objects in messages change only with their versions, and a minor only adds."""

import msgspec
import pytest

from mininova.objects import REGISTRY
from mininova.objects.base import field_versions
from mininova.rpc import Version
from tests.fixtures.fingerprints import explain, keep, kept, of_object, versioned

OBJECTS = versioned()


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_changes_only_with_its_version(name: str, request: pytest.FixtureRequest):
    """Older peers would misread a field, a type or a default that changed without the version."""
    now = of_object(OBJECTS[name])
    if request.config.getoption("--rewrite"):
        keep("objects", name, now)
    before = kept()["objects"].get(name)
    assert now == before, explain(name, before, now)


def test_no_object_is_forgotten():
    """The file has each object, and no removed one; every object is exported."""
    ours = {name for name, cls in REGISTRY.items() if cls.__module__.startswith("mininova.")}

    assert set(kept()["objects"]) == set(OBJECTS) == ours


@pytest.mark.parametrize("name", OBJECTS)
def test_a_field_that_came_later_can_be_left_out(name: str):
    """No field is newer than its object, and a newer field has a default for older senders."""
    cls = OBJECTS[name]
    required = {field.name for field in msgspec.structs.fields(cls) if field.required}
    for field, came in field_versions(cls).items():
        if came is not None:
            assert Version.parse(cls.version).accepts(came), field
            assert field not in required, field
