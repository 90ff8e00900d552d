"""Images that nothing needs any more: mininova/db/unneeded_images.py."""

from mininova.db import unneeded_images


def test_an_image_is_noted_until_it_is_deleted(db):
    """Noting it twice is noting it once."""
    with db.write() as tx:
        for image_id in ("one", "one", "two"):
            unneeded_images.note(tx, image_id)
        assert sorted(unneeded_images.search(tx, 10)) == ["one", "two"]
        assert len(unneeded_images.search(tx, 1)) == 1
        unneeded_images.forget(tx, "one")
        assert unneeded_images.search(tx, 10) == ["two"]
