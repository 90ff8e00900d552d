"""The projects that an image is shared with, over HTTP: mininova/standins/glance/handlers/members.py."""

import pytest


@pytest.fixture
def path(make):
    return f"/v2/images/{make(visibility='shared')}"


@pytest.fixture
def lent(http, path):
    http("POST", f"{path}/members", {"member": "theirs"})
    return path


def listed(http, by):
    return [image["self"] for image in http("GET", "/v2/images", by=by).json["images"]]


def test_no_members(http, path):
    """A new image has no members."""
    assert http("GET", f"{path}/members").json == {"members": [], "schema": "/v2/schemas/members"}


def test_lend(http, path):
    """A member sees the image, and has it in its list after accepting."""
    member = http("POST", f"{path}/members", {"member": "theirs"}).json
    assert (member["member_id"], member["status"], member["schema"]) == ("theirs", "pending", "/v2/schemas/member")
    assert http("GET", path, by="bob").status_int == 200
    assert listed(http, "bob") == []
    accepted = http("PUT", f"{path}/members/theirs", {"status": "accepted"}, by="bob").json
    assert accepted["status"] == "accepted"
    assert listed(http, "bob") == [path]
    assert http("GET", f"{path}/members/theirs").json == accepted
    assert http("GET", f"{path}/members", by="bob").json["members"] == [accepted]


def test_take_back(http, lent):
    """A removed member does not see the image."""
    assert http("DELETE", f"{lent}/members/theirs").status_int == 204
    assert http("GET", lent, by="bob").status_int == 404
    assert http("DELETE", f"{lent}/members/theirs").status_int == 404
    assert http("GET", f"{lent}/members/theirs").status_int == 404


def test_only_the_owner_lends(http, lent):
    """A member can neither share an image nor change it, nor see the other members."""
    http("POST", f"{lent}/members", {"member": "others"})
    assert http("POST", f"{lent}/members", {"member": "third"}, by="bob").status_int == 403
    assert http("DELETE", f"{lent}/members/others", by="bob").status_int == 403
    assert http("DELETE", lent, by="bob").status_int == 403
    assert [member["member_id"] for member in http("GET", f"{lent}/members", by="bob").json["members"]] == ["theirs"]


def test_only_the_borrower_accepts(http, lent):
    """The owner cannot accept for a member; an administrator can."""
    accept = {"status": "accepted"}
    assert http("PUT", f"{lent}/members/theirs", accept).status_int == 403
    assert http("PUT", f"{lent}/members/theirs", accept, by="admin").status_int == 200


def test_twice(http, lent):
    """A second share with the same project is a conflict."""
    assert http("POST", f"{lent}/members", {"member": "theirs"}).status_int == 409


@pytest.mark.parametrize("visibility", ["private", "community"])
def test_only_shared_images(http, make, visibility):
    """Only an image with the visibility shared can have members."""
    path = f"/v2/images/{make(visibility=visibility)}"
    assert http("POST", f"{path}/members", {"member": "theirs"}).status_int == 403


@pytest.mark.parametrize("body", [None, [], {}, {"member": 5}, {"member": ""}, {"member": "x" * 65}])
def test_malformed(http, path, body):
    """A malformed body is refused."""
    assert http("POST", f"{path}/members", body).status_int == 400


def test_no_such_status(http, lent):
    """A member accepts, rejects or is pending; another status is refused."""
    assert http("PUT", f"{lent}/members/theirs", {"status": "maybe"}, by="bob").status_int == 400
