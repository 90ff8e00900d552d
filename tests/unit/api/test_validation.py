"""What the answer to a wrong request says."""

from typing import Any

import pytest

from mininova.api.schemas.types import Field, changes_of, object_of, under
from mininova.api.validation import Schemas
from mininova.wsgi import Microversion

IMAGE = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"name": ""}, "Invalid input for field/attribute name. Value: . '' should be non-empty"),
        ({"name": " x"}, "An invalid 'name' value was provided. The name must be: printable characters."),
        ({"name": 7}, "Invalid input for field/attribute name. Value: 7. 7 is not of type 'string'"),
        ({"min_count": 0}, "Invalid input for field/attribute min_count. Value: 0. 0 is less than the minimum of 1"),
        ({"min_count": "0"}, "Invalid input for field/attribute min_count. Value: 0. "),
        ({"min_count": "x"}, "Invalid input for field/attribute min_count. Value: x. 'x' does not match"),
        ({"imageRef": "xx"}, "Invalid input for field/attribute imageRef. Value: xx. "),
        ({"metadata": {"a": 1}}, "Invalid input for field/attribute a. Value: 1. 1 is not of type 'string'"),
        ({"user_data": "a"}, "Invalid input for field/attribute user_data. Value: a. 'a' is not a 'base64'"),
        ({"accessIPv4": "::1"}, "Invalid input for field/attribute accessIPv4. Value: ::1. '::1' is not a 'ipv4'"),
        ({"surprise": 1}, "Additional properties are not allowed ('surprise' was unexpected)"),
        ({"description": "x"}, "Additional properties are not allowed ('description' was unexpected)"),
        ({"networks": "auto"}, "Invalid input for field/attribute networks. Value: auto. "),
    ],
)
def test_a_wrong_body_names_the_field(api: Any, server: dict[str, Any], words: str) -> None:
    """The error has the field, its value and what is wrong with it, in Nova's words."""
    body = {"server": {"name": "x", "flavorRef": "1", "imageRef": IMAGE, **server}}
    answer = api("POST", "/servers", body, version="2.1")
    assert answer.status == 400
    assert words in answer.message


def test_a_missing_field_is_named(api: Any) -> None:
    """The error names the field that is required."""
    answer = api("POST", "/servers", {"server": {"name": "x"}})
    assert "'flavorRef' is a required property" in answer.message


@pytest.mark.parametrize(
    "letters", ["\U0001f600", "\ue000", "\u0378", "\u2028", "\u00ad", "\u200b", "\uffff", "\ufeff", "\x07"]
)
@pytest.mark.parametrize(
    "server", [{"name": "a{}b"}, {"description": "a{}b"}, {"key_name": "a{}b"}, {"availability_zone": "a{}b"}]
)
def test_a_name_with_unprintable_characters_is_refused(api: Any, server: dict[str, str], letters: str) -> None:
    """In names and descriptions only printable characters of the basic multilingual plane are allowed."""
    written = {name: text.format(letters) for name, text in server.items()}
    body = {"server": {"name": "x", "flavorRef": "1", "imageRef": IMAGE, "networks": "none", **written}}
    answer = api("POST", "/servers", body, version="2.52")
    assert answer.status == 400
    assert "invalid 'name' value" in answer.message or "field/attribute description" in answer.message


def test_a_name_is_in_any_script(api: Any) -> None:
    """Letters, signs and spaces of the basic multilingual plane are printable."""
    assert api.boot(name="Zo\u00eb\u00a0\u65e5\u672c \u2603 \ufffd", description="\u00fc\n\t\u3000", version="2.52")


@pytest.mark.parametrize("body", [None, b"", b"[]", b"{}", b'{"server": []}'])
def test_no_body_is_400(api: Any, body: bytes | None) -> None:
    """A body that is not the expected object is refused first."""
    assert api("POST", "/servers", body).status == 400


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=-1", "Invalid input for query parameters limit. Value: -1. '-1' does not match"),
        ("limit=x", "Invalid input for query parameters limit. Value: x. 'x' does not match"),
        ("changes-since=x", "Invalid input for query parameters changes-since. Value: x. 'x' is not a 'date-time'"),
        ("name=(", "Invalid input for query parameters name. Value: (. '(' is not a 'regex'"),
        ("sort_key=x", "Invalid input for query parameters sort_key. Value: x. 'x' is not one of"),
    ],
)
def test_a_wrong_query_names_the_parameter(api: Any, query: str, words: str) -> None:
    """The error has the parameter of the URL."""
    answer = api("GET", f"/servers?{query}")
    assert answer.status == 400
    assert words in answer.message


def test_unknown_parameters_are_refused_from_2_75_on(api: Any) -> None:
    """Before, they were ignored."""
    assert api("GET", "/servers?surprise=1", version="2.74").status == 200
    assert api("GET", "/servers?surprise=1", version="2.75").status == 400


def test_a_schema_changes_where_its_fields_do() -> None:
    """The ranges of a schema follow from those of its fields."""
    fields = (Field("a", {}), Field("b", {}, since="2.19"), Field("c", {}, until="2.56"))
    assert changes_of(fields) == ["2.19", "2.57"]
    schemas = under("x", *fields)

    def known(version: str) -> list[str]:
        return sorted(schemas.schema(Microversion.parse(version))["properties"]["x"]["properties"])

    assert [known(v) for v in ("2.1", "2.18", "2.19", "2.56", "2.57", "2.96")] == [
        ["a", "c"], ["a", "c"], ["a", "b", "c"], ["a", "b", "c"], ["a", "b"], ["a", "b"],
    ]  # fmt: skip


def test_numbers_may_come_as_strings() -> None:
    """Bounds hold for "10" as for 10, and for more digits than Python reads as an int."""
    schemas = Schemas.always(object_of({"n": {"type": ["integer", "string"], "minimum": 1, "maximum": 9}}))
    numbers = (0, "0", 5, "5", 10, "10", "9" * 5000, "x")
    complaints = [schemas.complaint({"n": n}, Microversion(2, 1)) is not None for n in numbers]
    assert complaints == [True, True, False, False, True, True, True, False]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "maxLength": 63, "pattern": "^[a-z]+[a-z-]*[a-z]+$"}, "a" * 50_000 + "!"),
        ({"type": "array", "maxItems": 50, "uniqueItems": True}, [*range(20_000), "a"]),
        ({"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}, [1] * 50_000),
    ],
)
def test_input_that_is_too_long_is_not_checked_further(schema: dict[str, Any], value: Any) -> None:
    """A check that takes longer than its input warrants is skipped after a failed limit, and only a few errors are
    kept.
    """
    assert Schemas.always(schema).complaint(value, Microversion(2, 1)) is not None
