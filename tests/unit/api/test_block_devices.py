"""The disks that POST /servers asks for: what is refused, in the words of a real Nova, and what is not."""

import json
from typing import Any

import pytest

from mininova.db import block_devices
from tests.unit.api.test_create import IMAGE, NONE, ask

DISK = {"boot_index": "0", "source_type": "image", "destination_type": "local", "uuid": IMAGE}
BLANK = {"source_type": "blank", "destination_type": "local", "boot_index": -1}
MADE = {**BLANK, "destination_type": "volume", "volume_size": 1}
GONE = {"source_type": "volume", "destination_type": "volume", "uuid": NONE, "boot_index": -1}
SWAP = {**BLANK, "guest_format": "swap"}
INVALID = "Block Device Mapping is Invalid"
SEQUENCE = "Boot sequence for the instance and image/block device mapping combination is not valid."

REFUSED: list[tuple[list[dict[str, Any]], str]] = [
    ([{**DISK, "uuid": ""}], "Value: . '' should be non-empty"),
    ([{"source_type": "volume"}], f"{INVALID}: Missing device UUID."),
    ([{}], f"{INVALID}: Missing device UUID."),
    ([DISK, {**BLANK, "uuid": NONE}], f"{INVALID}: Invalid device UUID."),
    ([{"source_type": "blank"}], f"{INVALID}: {SEQUENCE}"),
    ([DISK, DISK], f"{INVALID}: {SEQUENCE}"),
    ([DISK, {**MADE, "boot_index": 2}], f"{INVALID}: {SEQUENCE}"),
    ([{"no_device": True, "device_name": "vdb"}], f"{INVALID}: {SEQUENCE}"),
    ([{**DISK, "boot_index": -1}], f"{INVALID}: Mapping image to local is not supported."),
    ([{**DISK, "uuid": NONE}], f"{INVALID}: failed to get image {NONE}."),
    ([{**DISK, "destination_type": "volume"}], "need to have a non-zero size specified"),
    ([DISK, {**BLANK, "destination_type": "volume"}], "Blank volumes (source: 'blank', dest: 'volume') need to have"),
    ([DISK, GONE], f"Volume {NONE} could not be found."),
    ([DISK, {**GONE, "source_type": "snapshot"}], f"{INVALID}: failed to get snapshot {NONE}."),
    ([DISK, {**GONE, "destination_type": "local"}], f"{INVALID}: Mapping volume to local is not supported."),
    ([DISK, {**MADE, "disk_bus": "punched tape"}], f"{INVALID}."),
    ([DISK, {**MADE, "device_type": "drum"}], f"{INVALID}: 'drum' is not a device_type: cdrom, disk, floppy, fs, lun."),
    ([DISK, {**MADE, "volume_type": "x"}], "Volume type x could not be found."),
    ([DISK, {**BLANK, "volume_type": "x"}], "Specifying a volume_type with destination_type=local is not supported."),
    ([DISK, {**GONE, "volume_type": "x"}], "Specifying volume type to existing volume is not supported."),
    ([DISK, {**MADE, "device_name": "vda"}], "The volume cannot be assigned the same device name as the root device"),
    ([DISK, {**BLANK, "volume_size": 500}], "Ephemeral disks requested are larger than the instance type allows."),
    ([DISK, {**SWAP, "volume_size": 500}], "Swap drive requested is larger than instance type allows."),
    ([DISK, SWAP, SWAP], f"{INVALID}: More than one swap drive requested."),
]


@pytest.mark.parametrize(("devices", "words"), REFUSED)
def test_a_disk_that_cannot_be(api: Any, devices: list[dict[str, Any]], words: str) -> None:
    """The error says what is wrong with the disk, and nothing is made."""
    answer = ask(api, version="2.67", block_device_mapping_v2=devices)
    assert (answer.status, words in answer.message) == (400, True), answer.message
    assert api.conductor.builds == []


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"imageRef": "", "block_device_mapping_v2": [DISK]}, "Mapping image to local is not supported."),
        ({"max_count": 2, "block_device_mapping_v2": [DISK, GONE]}, "Cannot attach one or more volumes to multiple"),
        ({"block_device_mapping": [{"device_name": "vdb"}]}, f"{INVALID}: Unrecognized legacy format."),
        ({"block_device_mapping": [{"snapshot_id": NONE}]}, f"{INVALID}: failed to get snapshot {NONE}."),
        (
            {"block_device_mapping": [{"snapshot_id": NONE}], "block_device_mapping_v2": [DISK]},
            "Using different block_device_mapping syntaxes is not allowed in the same request.",
        ),
    ],
)
def test_a_request_that_cannot_be(api: Any, server: dict[str, Any], words: str) -> None:
    """So are the forms that do not go with the rest of the body."""
    answer = ask(api, **server)
    assert (answer.status, words in answer.message) == (400, True), answer.message


def test_disks_of_the_host_are_no_volumes(api: Any) -> None:
    """What a flavor has anyway may be named; no host asks for volumes then."""
    answer = ask(api, block_device_mapping_v2=[DISK, {"no_device": True, "device_name": "vdb"}])
    assert answer.status == 202
    ((_, spec),) = api.conductor.builds
    assert not spec.has_volumes


def test_an_image_asks_for_disks(api: Any) -> None:
    """The image's own root disk comes instead of the one that the client names, and others unless they are named."""
    in_image = [
        {"source_type": "blank", "destination_type": "volume", "volume_size": 2, "boot_index": 0, "device_name": "vda"},
        {"source_type": "blank", "destination_type": "volume", "volume_size": 3, "device_name": "/dev/vdb"},
        {"source_type": "blank", "destination_type": "volume", "volume_size": 4, "device_name": "/dev/vdc"},
    ]
    properties = {"bdm_v2": "True", "block_device_mapping": json.dumps(in_image)}
    api.images.there[IMAGE] = api.images.there[IMAGE].replace(properties=properties)
    mine = {**MADE, "device_name": "vdb", "volume_size": 7}
    answer = ask(api, block_device_mapping_v2=[DISK, mine, {"no_device": True, "device_name": "vdc"}])
    assert answer.status == 202, answer.message
    with api.db.read() as tx:
        found = block_devices.of(tx, [answer.body["server"]["id"]])
    assert sorted((it.device_name, it.asked.volume_size, it.is_root) for it in found if it.asked) == [
        ("/dev/vda", 2, True), ("/dev/vdb", 7, False),
    ]  # fmt: skip
    properties["block_device_mapping"] = "["
    api.images.there[IMAGE] = api.images.there[IMAGE].replace(properties=properties)
    assert "has no valid block_device_mapping" in ask(api).message
