"""Which image service a conductor asks: mininova/service/images.py."""

from pathlib import Path

import pytest

from mininova import conf, errors
from mininova.context import service_context
from mininova.objects import ImageQuery
from mininova.service import images


def test_api_paste_names_it() -> None:
    """The file that comes with mininova names the stand-in."""
    assert images.configured(conf.for_tests("conductor")) == "mininova.standins.glance.in_process:image_service"


def test_a_cloud_without_one(tmp_path: Path) -> None:
    """A file without the line names none; then no image is there, and none is taken."""
    file = tmp_path / "paste.ini"
    file.write_text("[app:compute_app]\n")
    settings = conf.for_tests("conductor", **{"api.paste_config": str(file)})
    none = images.image_service(images.configured(settings), None)  # type: ignore[arg-type]
    assert none.search(service_context(), ImageQuery()) == []
    with pytest.raises(errors.NotSupported):
        none.create(service_context(), "gold")
    for ask in (none.get, none.delete):
        with pytest.raises(errors.ImageNotFound):
            ask(service_context(), "gone")
    with pytest.raises(errors.ImageNotFound):
        none.upload(service_context(), "gone", b"", {})
