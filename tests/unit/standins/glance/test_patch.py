import pytest

from mininova import errors
from mininova.standins.glance import patch
from mininova.standins.glance.patch import V2_0, V2_1

VALUES = {"name": "a", "min_disk": 0, "tags": [], "os": "x"}


def changed(body, form=V2_1):
    return patch.apply(patch.parse(body, form), VALUES)


def test_three_operations():
    """Attributes and properties are added, replaced and removed, in order; the given image is not changed."""
    body = [
        {"op": "replace", "path": "/name", "value": "b"},
        {"op": "add", "path": "/arch", "value": "arm"},
        {"op": "replace", "path": "/arch", "value": "x86"},
        {"op": "remove", "path": "/os"},
        {"op": "replace", "path": "/tags", "value": ["t"]},
    ]
    assert changed(body) == {"name": "b", "min_disk": 0, "tags": ["t"], "arch": "x86"}
    assert VALUES["name"] == "a"


def test_old_form():
    """The form of v2.0 names the operation by its key."""
    body = [{"add": "/arch", "value": "arm"}, {"replace": "/name", "value": "b"}, {"remove": "/os"}]
    assert changed(body, V2_0) == {"name": "b", "min_disk": 0, "tags": [], "arch": "arm"}


def test_adding_what_is_there():
    """Adding an existing property replaces it in the new form, and is a conflict in the old one."""
    assert changed([{"op": "add", "path": "/os", "value": "y"}])["os"] == "y"
    with pytest.raises(errors.Conflict, match="already present"):
        changed([{"add": "/os", "value": "y"}], V2_0)


@pytest.mark.parametrize("operation", ["replace", "remove"])
def test_a_missing_property(operation):
    """A missing property can be neither replaced nor removed."""
    with pytest.raises(errors.Conflict, match="Property nosuch does not exist"):
        changed([{"op": operation, "path": "/nosuch", "value": "x"}])


@pytest.mark.parametrize(
    "name", ["status", "size", "checksum", "created_at", "id", "locations", "file", "os_hash_value"]
)
@pytest.mark.parametrize("operation", ["add", "replace", "remove"])
def test_not_for_clients(name, operation):
    """A client cannot change the attributes that the service sets."""
    with pytest.raises(errors.NotAllowed, match=f"Attribute '{name}' is"):
        changed([{"op": operation, "path": f"/{name}", "value": "x"}])


def test_attributes_stay():
    """An attribute that every image has cannot be removed."""
    with pytest.raises(errors.NotAllowed, match="may not be removed"):
        changed([{"op": "remove", "path": "/name"}])


def test_escapes():
    """A slash and a tilde in a name are written as JSON pointers write them."""
    assert changed([{"op": "add", "path": "/a~1b~0c", "value": "x"}])["a/b~c"] == "x"


@pytest.mark.parametrize(
    "body",
    [
        {},
        None,
        "x",
        ["x"],
        [{}],
        [{"op": "move", "path": "/name", "value": "x"}],
        [{"op": "add", "path": "/name"}],
        [{"op": "add", "path": "name", "value": "x"}],
        [{"op": "add", "path": "/", "value": "x"}],
        [{"op": "add", "path": "/tags/0", "value": "x"}],
        [{"op": "add", "path": 5, "value": "x"}],
        [{"op": "add", "value": "x"}],
        [{"op": ["add"], "path": "/name", "value": "x"}],
    ],
)
def test_malformed(body):
    """A body that is not a list of operations is refused."""
    with pytest.raises(errors.InvalidInput):
        changed(body)


def test_forms_are_not_mixed():
    """An operation of one form is invalid in the other."""
    with pytest.raises(errors.InvalidInput):
        changed([{"op": "add", "path": "/os", "value": "x"}], V2_0)
    with pytest.raises(errors.InvalidInput):
        changed([{"add": "/os", "value": "x"}], V2_1)
