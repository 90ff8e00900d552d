"""Objects arrive unchanged, at receivers of other versions too, whatever values users put into them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache, partial
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova import objects
from mininova.objects import (
    REGISTRY,
    ComputeNode,
    Fault,
    Flavor,
    IncompatibleObject,
    Instance,
    InstanceChanges,
    Retry,
    Selection,
    Versioned,
)
from mininova.objects.base import DATA, NAME, NAMESPACE, VERSION, unwrap, wrap
from mininova.rpc import since

OURS = [REGISTRY[name] for name in objects.__all__ if name in REGISTRY]

# ---- any value of any object

SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text() | st.sampled_from([NAME, NAMESPACE, VERSION, DATA, "Instance", "1.0", "{}"]),  # as users would
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    NoneType: st.none(),
    msgspec.UnsetType: st.just(msgspec.UNSET),
}


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Give any value of a type that a field may have."""
    if hint in SIMPLE:
        return SIMPLE[hint]
    if get_origin(hint) is Annotated and isinstance(bounds := get_args(hint)[1], msgspec.Meta):
        of = {int: st.integers, float: partial(st.floats, allow_nan=False)}[get_args(hint)[0]]
        return of(bounds.ge, bounds.le)
    if isinstance(hint, type) and issubclass(hint, Versioned):
        return st.builds(hint, **{field.name: values(field.type) for field in msgspec.structs.fields(hint)})
    inner = [values(arg) for arg in get_args(hint) if arg is not ...]
    match getattr(hint, "__origin__", None):
        case kind if kind in (list, tuple):
            return st.lists(*inner, max_size=3).map(kind)
        case kind if kind is dict:
            return st.dictionaries(*inner, max_size=4)
        case _:
            return st.one_of(inner)


def travelled(value: Any, to: Any) -> Any:
    """Send a value through JSON, as a message does."""
    return msgspec.convert(unwrap(msgspec.json.decode(msgspec.json.encode(wrap(value)))), to)


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_an_object_arrives_as_it_was_sent(cls: type[Versioned], data: st.DataObject):
    """Every value of every class comes out of a message as it went in."""
    value = data.draw(values(cls))

    assert travelled([value], list[cls]) == [value]


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        *((Instance, {"generation": number}) for number in (-1, 2**31, 2**63, 10**400)),
        *((ComputeNode, {"vcpus": number}) for number in (-1, 2**31, 1.5)),
        *((ComputeNode, {"ram_allocation_ratio": number}) for number in (0.0, -1.0, 1e300)),
        *((Fault, {"code": number}) for number in (-1, 0, 99, 600)),
    ],
)
def test_a_number_that_fits_nowhere_is_refused_by_its_receiver(cls: type[Versioned], fields: dict[str, Any]):
    """No database could keep it; the error names the field, so the sender gets InvalidArguments."""
    whole = {field.name: minimal(field) for field in msgspec.structs.fields(cls) if field.required}

    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{next(iter(fields))}"):
        travelled_data({**whole, **fields}, cls)


def minimal(field: msgspec.structs.FieldInfo) -> Any:
    """Give some value of a required field."""
    if field.type is Flavor:
        return {"flavor_id": "1", "name": "m1.tiny", "memory_mb": 1, "vcpus": 1, "root_gb": 1}
    return "text" if field.type is str else 500


def travelled_data(fields: dict[str, Any], to: Any) -> Any:
    """Have a receiver read the fields of an object as a message brings them."""
    return msgspec.convert(msgspec.json.decode(json.dumps(fields)), to)


def test_a_user_cannot_forge_an_object():
    """Metadata that looks like an object stays metadata, and harms no reader."""
    forged = {NAME: "Flavor", NAMESPACE: "mininova", VERSION: "9.0", DATA: "{}"}

    assert travelled({"metadata": forged}, dict[str, dict[str, str]]) == {"metadata": forged}


def test_an_object_has_the_shape_of_oslo_versionedobjects():
    """Name, namespace, version and data (oslo.versionedobjects: base.py, obj_to_primitive)."""
    assert wrap(Selection(host="a", node="b", availability_zone="c")) == {
        "versioned_object.name": "Selection",
        "versioned_object.namespace": "mininova",
        "versioned_object.version": "1.0",
        "versioned_object.data": {"host": "a", "node": "b", "availability_zone": "c"},
    }


def test_an_unset_field_is_not_sent():
    """A change that is not made is left out; one to None is sent."""
    assert wrap(InstanceChanges(task_state=None))[DATA] == {"task_state": None}


def test_an_object_cannot_be_changed():
    """A change gives another object."""
    retry = Retry(attempts=1)

    with pytest.raises(AttributeError):
        retry.attempts = 2  # type: ignore[misc]
    assert retry.replace(attempts=2) == Retry(attempts=2)
    assert retry == Retry(attempts=1)


# ---- other versions


@pytest.fixture
def bulb() -> Iterator[type[Versioned]]:
    """Give a class at its third version."""

    class Bulb(Versioned, frozen=True, kw_only=True):
        version = "1.2"
        watts: int
        colour: Annotated[str, since("1.1")] = "white"
        maker: Annotated[str | None, since("1.2")] = None

    yield Bulb
    del REGISTRY["Bulb"]


@pytest.mark.parametrize(
    ("version", "data"),
    [
        ("1.0", {"watts": 40}),
        ("1.1", {"watts": 40, "colour": "red"}),
        ("1.2", {"watts": 40, "colour": "red", "maker": "us"}),
    ],
)
def test_an_older_receiver_gets_an_older_form(bulb: Any, version: str, data: dict[str, Any]):
    """Newer fields are dropped, at any depth, and the object has the older version."""
    (wrapped,) = wrap({"bulbs": (bulb(watts=40, colour="red", maker="us"),)}, {"Bulb": [version]})["bulbs"]

    assert wrapped[DATA] == data
    assert wrapped[VERSION] == version


def test_a_newer_receiver_gets_what_we_have(bulb: Any):
    """A receiver understands older minors."""
    assert wrap(bulb(watts=40), {"Bulb": ["1.9"]})[VERSION] == "1.2"


@pytest.mark.parametrize("version", ["0.9", "2.0"])
def test_a_receiver_of_another_major_gets_nothing(bulb: Any, version: str):
    """An object has no form in another major, and the error names both versions."""
    with pytest.raises(IncompatibleObject, match=rf"Bulb {version} cannot be had here: this side knows Bulb 1\.2"):
        wrap(bulb(watts=40), {"Bulb": [version]})


def test_an_older_form_is_read_with_defaults(bulb: Any):
    """Fields that an older sender did not know get their defaults."""
    assert msgspec.convert(unwrap(wrap(bulb(watts=40, maker="us"), {"Bulb": ["1.0"]})), bulb) == bulb(watts=40)


@pytest.mark.parametrize("version", ["1.3", "2.0", "0.1", "new", "1", 7, None, ["1.0"]])
def test_a_newer_form_is_refused(bulb: Any, version: Any):
    """A newer version, or an invalid one, is refused; the error has it and the known version."""
    form = {NAME: "Bulb", NAMESPACE: "mininova", VERSION: version, DATA: {"watts": 40}}

    with pytest.raises(IncompatibleObject, match=r"cannot be had here: this side knows Bulb 1\.2") as caught:
        unwrap([{"bulb": form}])
    assert str(version) in str(caught.value)


@pytest.mark.parametrize("name", ["Unheard", "", None, ["Flavor"], {}])
def test_an_unknown_object_is_refused(name: Any):
    """An object without a name is refused, too."""
    with pytest.raises(IncompatibleObject, match=r"this side knows .* none"):
        unwrap({NAME: name, DATA: {}})


def test_an_object_without_its_data_is_no_object():
    """It stays as it came, and the declared type refuses it."""
    with pytest.raises(msgspec.ValidationError, match="flavor_id"):
        msgspec.convert(unwrap({NAME: "Flavor", VERSION: "1.0"}), Flavor)
