"""The context of a request, in a process and on the wire."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova.context import RequestContext, new_request_id, service_context

contexts = st.builds(
    RequestContext,
    request_id=st.text(),
    global_request_id=st.none() | st.text(),
    user_id=st.none() | st.text(),
    user_name=st.none() | st.text(),
    project_id=st.none() | st.text(),
    project_name=st.none() | st.text(),
    roles=st.lists(st.text()).map(tuple),
    is_admin=st.booleans(),
)


@given(contexts)
def test_a_context_arrives_as_it_was_sent(context):
    """A context survives JSON, as in a message."""
    assert RequestContext.from_wire(msgspec.json.decode(msgspec.json.encode(context.to_wire()))) == context


def test_an_unknown_field_is_left_out():
    """A newer service, or another user of oslo.messaging, may send more fields."""
    wire = {"request_id": "req-1", "auth_token": "gAAAA", "read_only": False, "roles": ["member"]}

    assert RequestContext.from_wire(wire) == RequestContext(request_id="req-1", roles=("member",))


@pytest.mark.parametrize("wire", [{"roles": "admin"}, {"is_admin": "yes"}, {"user_id": 7}, {"request_id": None}])
def test_a_field_of_the_wrong_type_is_refused(wire):
    """A malformed context must not make its user an administrator."""
    with pytest.raises(msgspec.ValidationError):
        RequestContext.from_wire(wire)


def test_a_context_has_no_place_for_a_secret():
    """A context has no field for a token or a password."""
    assert not [name for name in RequestContext.__struct_fields__ if "token" in name or "password" in name]


def test_each_request_has_an_id_of_its_own():
    """The ids have OpenStack's form."""
    assert new_request_id().startswith("req-")
    assert RequestContext().request_id != RequestContext().request_id
    assert service_context().is_admin
