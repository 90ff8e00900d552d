"""Each guest is a file, written whole or not at all."""

import msgspec

from mininova import states
from mininova.virt.guests import Guest, GuestStore


def test_remembered(tmp_path, instance, image):
    """A saved guest is the same when it is read again."""
    guest = Guest.of(instance, image, 1.0).started(2.0).in_state(states.SHUTDOWN)
    GuestStore(str(tmp_path), "host-1").save(guest)
    assert GuestStore(str(tmp_path), "host-1").load() == {instance.uuid: guest}


def test_forgotten(tmp_path, instance, image):
    """A removed guest is not read again, and removing it twice is harmless."""
    store = GuestStore(str(tmp_path), "host-1")
    store.save(Guest.of(instance, image, 1.0))
    store.remove(instance.uuid)
    store.remove(instance.uuid)
    assert store.load() == {}


def test_replaced(tmp_path, instance, image):
    """All guests are replaced at once; what becomes of each since then counts."""
    store = GuestStore(str(tmp_path), "host-1")
    old = Guest.of(instance, image, 1.0)
    kept, changed, gone = (msgspec.structs.replace(old, uuid=uuid) for uuid in ("kept", "changed", "gone"))
    store.save(old)
    store.replace([kept, changed, gone])
    store.save(changed.in_state(states.SHUTDOWN))
    store.remove("gone")
    there = {"kept": kept, "changed": changed.in_state(states.SHUTDOWN)}
    assert GuestStore(str(tmp_path), "host-1").load() == there
    store.replace([])
    assert GuestStore(str(tmp_path), "host-1").load() == {}


def test_hosts_apart(tmp_path, instance, image):
    """A host does not see another's guests, for any names."""
    GuestStore(str(tmp_path), "../a/b").save(Guest.of(instance, image, 1.0))
    assert GuestStore(str(tmp_path), "host-1").load() == {}
    assert [path.name for path in tmp_path.iterdir() if path.name != "host-1"] == ["..%2Fa%2Fb"]


def test_half_written_file(tmp_path, instance, image, caplog):
    """An unreadable file is logged, and the others are read; a file that is being written is ignored."""
    store = GuestStore(str(tmp_path), "host-1")
    store.save(Guest.of(instance, image, 1.0))
    (tmp_path / "host-1" / "broken.json").write_text('{"uuid": "bro')
    (tmp_path / "host-1" / "other.new").write_text('{"uuid": "oth')
    assert list(store.load()) == [instance.uuid]
    assert "broken.json" in caplog.text


def test_boots_are_bounded(instance, image):
    """Of many boots the first and the latest are stored."""
    guest = Guest.of(instance, image, 0.0)
    for at in range(1, 100):
        guest = guest.started(float(at))
    assert guest.boots == (0.0, *(float(at) for at in range(85, 100)))
