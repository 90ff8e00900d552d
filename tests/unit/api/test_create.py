"""What POST /servers takes, writes, sends and refuses."""

import itertools
from typing import Any

import pytest

from mininova import rpc
from mininova.api.create import hostname_of
from mininova.api.views.networks import network_id
from mininova.db import flavors, instances
from mininova.objects import Flavor, ImageMeta

IMAGE = "11111111-1111-4111-8111-111111111111"
NONE = "00000000-0000-4000-8000-000000000000"


def ask(api: Any, version: str = "2.37", user: str = "member", beside: dict[str, Any] | None = None, **server: Any):
    wanted = {"name": "vm", "flavorRef": "1", "imageRef": IMAGE, "networks": "auto", **server}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    return api("POST", "/servers", {"server": wanted, **(beside or {})}, version=version, user=user)


def test_answers_at_once_with_where_to_look(api: Any) -> None:
    """The answer is 202 with the id, the link and a password; the server is built later."""
    answer = ask(api)
    server = answer.body["server"]
    assert answer.status == 202
    assert answer.headers["Location"] == server["links"][0]["href"]
    assert set(server) == {"id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"}
    assert len(server["adminPass"]) == 12


def test_writes_the_row_and_the_action_before_it_sends(api: Any) -> None:
    """The instance is building/scheduling, and its list of actions has a create, before the message goes."""
    uuid = api.boot()
    instance = api.instance(uuid)
    assert (instance.vm_state, instance.task_state, instance.host) == ("building", "scheduling", None)
    actions = api("GET", f"/servers/{uuid}/os-instance-actions").body["instanceActions"]
    assert [action["action"] for action in actions] == ["create"]


def test_sends_one_message_with_the_instance_and_what_was_asked(api: Any) -> None:
    """The conductor gets whole objects."""
    uuid = api.boot(metadata={"a": "b"})
    ((built, spec),) = api.conductor.builds
    assert built == [api.instance(uuid)]
    assert (spec.flavor.flavor_id, spec.image.id, spec.num_instances) == ("1", IMAGE, 1)


def test_notifies_of_the_new_state(api: Any) -> None:
    """The api emits compute.instance.update: a new instance is building."""
    api.boot()
    ((event, payload),) = api.notifier.told
    assert (event, payload["state"], payload["old_state"]) == ("compute.instance.update", "building", None)


def test_several_are_numbered_and_sent_together(api: Any) -> None:
    """max_count servers are made in one reservation and one message."""
    api.boot(min_count=2, max_count="3")
    ((built, spec),) = api.conductor.builds
    assert [(it.display_name, it.hostname, it.launch_index) for it in built] == [
        ("vm-1", "vm-1", 0), ("vm-2", "vm-2", 1), ("vm-3", "vm-3", 2),
    ]  # fmt: skip
    assert len({it.reservation_id for it in built}) == 1
    assert spec.num_instances == 3


def test_the_reservation_can_be_all_that_is_answered(api: Any) -> None:
    """With return_reservation_id, the answer is an id by which the list can be filtered."""
    answer = ask(api, max_count=2, return_reservation_id=True)
    listed = api("GET", f"/servers?reservation_id={answer.body['reservation_id']}").body["servers"]
    assert len(listed) == 2


def test_user_data_is_kept_and_not_sent(api: Any) -> None:
    """It is in the database, where administrators see it, and in no message."""
    uuid = api.boot(user_data="aGVsbG8=")
    with api.db.read() as tx:
        assert instances.user_data(tx, [uuid]) == {uuid: "aGVsbG8="}
    assert "aGVsbG8" not in repr(api.conductor.builds) + repr(api.notifier.told)
    shown = api("GET", f"/servers/{uuid}", user="admin", version="2.3").body["server"]
    assert shown["OS-EXT-SRV-ATTR:user_data"] == "aGVsbG8="


def test_a_password_that_was_chosen_is_answered_and_not_sent(api: Any) -> None:
    """Only the user has the password, in the answer."""
    assert ask(api, adminPass="chosen").body["server"]["adminPass"] == "chosen"
    assert "chosen" not in repr(api.conductor.builds)


def test_a_request_of_the_openstack_client_is_accepted(api: Any) -> None:
    """The openstack client names the image a second time, as a local disk."""
    disk = {"boot_index": 0, "source_type": "image", "destination_type": "local", "uuid": IMAGE}
    answer = ask(api, version="2.96", min_count=1, max_count=1, block_device_mapping_v2=[disk])
    assert answer.status == 202


# Mistakes and Nova's words for them: of two, Nova's answer names the one that stands first here.
WRONG = {
    "counts": ({"min_count": 3, "max_count": 2}, "min_count must be <= max_count"),
    "zone form": ({"availability_zone": "a:b:c:d"}, "Unable to parse availability_zone"),
    "disk": ({"block_device_mapping_v2": [{}]}, "Missing device UUID."),
    "no image": ({"imageRef": ""}, "Missing imageRef attribute"),
    "flavor": ({"flavorRef": "99"}, "Flavor 99 could not be found."),
    "zone": ({"availability_zone": "mars"}, "The requested availability zone is not available"),
    "image": ({"imageRef": NONE}, "Can not find requested image"),
    "network": ({"networks": [{"uuid": NONE}]}, f"Network {NONE} could not be found."),
    "key": ({"key_name": "none"}, "Invalid key_name provided."),
    "metadata": ({"metadata": {f"k{n}": "v" for n in range(129)}}, "Maximum number of metadata items exceeds 128"),
    "files": ({"personality": [{"path": "/x", "contents": ""}] * 6}, "Personality file limit exceeded"),
}


@pytest.mark.parametrize(("first", "second"), [*itertools.combinations(WRONG, 2)])
def test_of_two_wrong_things_the_answer_names_the_same_as_nova(api: Any, first: str, second: str) -> None:
    """Nova checks the form first, then whether things exist, then quotas: a real Nova answered each of these pairs."""
    (wrong, words), (also_wrong, _) = WRONG[first], WRONG[second]
    assert words in ask(api, version="2.36", **{"networks": None} | also_wrong | wrong).message


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"flavorRef": "99"}, "Flavor 99 could not be found."),
        ({"imageRef": NONE}, "Can not find requested image"),
        ({"imageRef": None}, "Missing imageRef attribute"),
        ({"imageRef": ""}, "Missing imageRef attribute"),
        ({"key_name": "none"}, "Invalid key_name provided."),
        ({"availability_zone": "mars"}, "The requested availability zone is not available"),
        ({"availability_zone": "a:b:c:d"}, "Unable to parse availability_zone"),
        ({"min_count": 3, "max_count": 2}, "min_count must be <= max_count"),
        ({"networks": [{"uuid": NONE}]}, f"Network {NONE} could not be found."),
        ({"networks": [{"port": NONE}]}, f"Port id {NONE} could not be found."),
        ({"block_device_mapping": [{"volume_id": NONE}]}, f"Volume {NONE} could not be found."),
    ],
)
def test_refuses_what_does_not_exist(api: Any, server: dict[str, Any], words: str) -> None:
    """The error is 400 and names what was not found; no row is written."""
    answer = ask(api, **server)
    assert answer.status == 400
    assert words in answer.message
    assert api("GET", "/servers").body["servers"] == []
    assert api.conductor.builds == []


def test_the_flat_network_can_be_named(api: Any) -> None:
    """Its id means the same as auto, or none for no network."""
    named = api.boot(networks=[{"uuid": network_id(api.conf.network.label)}])
    without = api.boot(networks="none")
    assert (api.instance(named).networks, api.instance(without).networks) == ("auto", "none")


def test_before_2_37_networks_may_be_left_out(api: Any) -> None:
    """Such a server gets an address, as with auto."""
    uuid = ask(api, version="2.36", networks=None).body["server"]["id"]
    assert api.instance(uuid).networks == "auto"


def add_image(api: Any, **more: Any) -> str:
    api.images.there[NONE] = ImageMeta(id=NONE, **more)
    return NONE


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ({"status": "queued"}, f"Image {NONE} is not active."),
        ({"min_ram": 1024}, "Flavor's memory is too small for requested image."),
        ({"min_disk": 2}, "Flavor's disk is too small for requested image."),
        ({"size": 2 * 1024**3}, "Flavor's disk is too small for requested image."),
    ],
)
def test_the_image_must_fit(api: Any, image: dict[str, Any], words: str) -> None:
    """An image that has no data, or that needs more than the flavor has, cannot be booted."""
    answer = ask(api, imageRef=add_image(api, **image))
    assert answer.status == 400
    assert words in answer.message


def test_a_flavor_without_a_disk_is_for_administrators(api: Any) -> None:
    """Its root disk is as large as the image, so users could take any room."""
    with api.db.write() as tx:
        flavors.create(tx, Flavor(flavor_id="0", name="zero", memory_mb=64, vcpus=1, root_gb=0))
    assert ask(api, flavorRef="0").status == 403
    assert ask(api, flavorRef="0", user="admin").status == 202


def test_a_private_flavor_is_for_its_projects(api: Any) -> None:
    """It does not exist for other projects."""
    with api.db.write() as tx:
        flavors.create(tx, Flavor(flavor_id="p", name="p", memory_mb=64, vcpus=1, root_gb=1, is_public=False))
    assert ask(api, flavorRef="p").message == "Flavor p could not be found."
    with api.db.write() as tx:
        flavors.grant(tx, "p", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert ask(api, flavorRef="p").status == 202


def test_a_host_in_the_zone_is_for_administrators(api: Any) -> None:
    """zone:host:node forces a host, which is not checked further."""
    assert ask(api, availability_zone="nova:host-2").status == 403
    ask(api, availability_zone="nova:host-2:node-2", user="admin")
    ((_, spec),) = api.conductor.builds
    assert (spec.availability_zone, spec.requested_host, spec.requested_node) == ("nova", "host-2", "node-2")


def test_a_host_in_a_field_of_its_own_is_checked(api: Any) -> None:
    """From 2.74 on an administrator can name a host, which must exist."""
    assert ask(api, version="2.74", host="host-2").status == 403
    assert ask(api, version="2.74", host="host-9", user="admin").message == "Compute host host-9 could not be found."
    ask(api, version="2.74", hypervisor_hostname="host-2", user="admin")
    ((_, spec),) = api.conductor.builds
    assert (spec.requested_host, spec.requested_node) == (None, "host-2")


def test_a_zone_may_be_the_default(make_api: Any) -> None:
    """A request without a zone gets the configured one, which is recorded."""
    api = make_api(**{"api.default_schedule_zone": "nova"})
    assert api.instance(api.boot()).requested_zone == "nova"


def test_hints_travel_as_words(api: Any) -> None:
    """The scheduler gets them as strings, also those that no filter of its reads."""
    ask(api, beside={"os:scheduler_hints": {"different_host": [NONE, IMAGE], "x": 1, "query": {"a": 1}}})
    hints = {"different_host": f"{NONE},{IMAGE}", "x": "1", "query": '{"a":1}'}
    assert api.conductor.builds[0][1].scheduler_hints == hints


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"max_count": 1001}, "Maximum number of servers in one request exceeds 1000"),
        ({"metadata": {f"k{n}": "v" for n in range(129)}}, "Maximum number of metadata items exceeds 128"),
        ({"personality": [{"path": "/x", "contents": ""}] * 6}, "Personality file limit exceeded"),
        (
            {"personality": [{"path": "/x", "contents": "YWFh" * 4000}]},
            "Personality file content exceeds maximum 10240",
        ),
        (
            {"personality": [{"path": "/" + "x" * 255, "contents": ""}]},
            "Personality file path exceeds maximum 255",
        ),
    ],
)
def test_too_much_is_forbidden(api: Any, server: dict[str, Any], words: str) -> None:
    """The limits of one request are 403."""
    answer = ask(api, version="2.36", networks=None, **server)
    assert (answer.status, answer.message) == (403, words)


def test_addresses_are_written_in_one_way(api: Any) -> None:
    """An IPv6 address is stored in its shortest form."""
    uuid = api.boot(accessIPv6="2001:0db8:0000::0001", accessIPv4="10.0.0.1")
    shown = api("GET", f"/servers/{uuid}").body["server"]
    assert (shown["accessIPv6"], shown["accessIPv4"]) == ("2001:db8::1", "10.0.0.1")


def test_tags_and_description_are_kept(api: Any) -> None:
    """Tags are a set; before 2.19 the description is the name."""
    uuid = ask(api, version="2.52", tags=["b", "a", "b"], description="mine").body["server"]["id"]
    old = ask(api, version="2.18", networks=None).body["server"]["id"]
    assert (api.instance(uuid).tags, api.instance(uuid).display_description) == (("a", "b"), "mine")
    assert api.instance(old).display_description == "vm"


def test_one_hostname_is_for_one_server(api: Any) -> None:
    """From 2.90 on a client can choose it, but not for several servers."""
    uuid = ask(api, version="2.90", hostname="chosen").body["server"]["id"]
    assert api.instance(uuid).hostname == "chosen"
    assert ask(api, version="2.90", hostname="chosen", max_count=2).status == 400


@pytest.mark.parametrize(
    ("name", "hostname"),
    [("View Me_1", "view-me-1"), ("a.b", "a-b"), ("--x--", "x"), ("日本", "server-u"), ("x" * 70, "x" * 63)],
)
def test_a_hostname_is_made_of_the_name(name: str, hostname: str) -> None:
    """Any name gives a valid host name for the guest."""
    assert hostname_of(name, "u") == hostname


@pytest.mark.parametrize("error", [rpc.Undeliverable("no queue"), rpc.ConnectionLost("gone")])
def test_a_build_whose_message_gets_through_to_none_is_accepted(api: Any, error: Exception) -> None:
    """The record is enough: a conductor goes on with it later (tests/cloud/test_sweeper.py)."""
    api.conductor.broken = error
    assert ask(api, max_count=2).status == 202
    assert [server["status"] for server in api("GET", "/servers/detail").body["servers"]] == ["BUILD"] * 2


@pytest.mark.parametrize("error", [rpc.MessageRefused("no right"), rpc.MessageTooLong("too long")])
def test_when_no_conductor_can_be_sent_it_the_server_says_why(api: Any, error: Exception) -> None:
    """The request was accepted; the server is in ERROR with a fault that its owner can read."""
    api.conductor.broken = error
    answer = ask(api, max_count=2)
    assert answer.status == 202
    for server in api("GET", "/servers/detail").body["servers"]:
        assert server["status"] == "ERROR"
        assert server["fault"]["message"].endswith(f"handed to a conductor: {type(error).__name__}")
    told = [event.removeprefix("compute.instance.") for event, _ in api.notifier.told]
    assert told == ["update"] * 2 + ["update", "create.error"] * 2


def test_a_reader_may_not(api: Any) -> None:
    """Only members may create servers."""
    assert ask(api, user="reader").message == "Policy doesn't allow os_compute_api:servers:create to be performed."
