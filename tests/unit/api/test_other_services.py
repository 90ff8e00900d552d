"""The other services that the api asks, as api-paste.ini names them."""

from pathlib import Path
from typing import Any

import pytest

from mininova import conf, errors
from mininova.context import RequestContext
from mininova.wsgi import Parts, load_app

CTXT = RequestContext(project_id="demo")


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Load an api whose section of the Paste file ends with some lines; give its Cloud."""

    def loaded(*lines: str) -> Any:
        file = tmp_path / "paste.ini"
        file.write_text("\n".join(("[app:main]", "paste.app_factory = mininova.api.app:app_factory", *lines)))
        parts: Any = Parts(conf.for_tests("api"), "the database", None, None, None)  # type: ignore[arg-type]
        return load_app(file, "main", parts)._cloud  # type: ignore[attr-defined]

    return loaded


def made_of(parts: Parts) -> tuple[str, Parts]:
    """Stand for a service: the name and the parts that it was made of."""
    return "made", parts


def test_a_function_that_is_named_makes_the_service(load: Any) -> None:
    """The function gets the parts of the process, once, when the api is loaded."""
    cloud = load(f"image_service = {__name__}:made_of", f"project_service = {__name__}:made_of")
    for service in (cloud.images, cloud.projects):
        what, parts = service
        assert (what, parts.db) == ("made", "the database")


def test_an_api_without_other_services(load: Any) -> None:
    """The api loads; it finds no image, and takes any id for a project's."""
    cloud = load()
    with pytest.raises(errors.ImageNotFound):
        cloud.images.get(CTXT, "any")
    assert cloud.projects.exists(CTXT, "any")


@pytest.mark.parametrize(
    "line",
    ["image_service = nowhere:x", "project_service = mininova.api.app:x", "image_service = x", "image_servce = x:y"],
)
def test_a_line_that_leads_nowhere(load: Any, line: str) -> None:
    """The api refuses to load, and quotes the setting."""
    with pytest.raises(errors.ConfigError, match=line.partition(" ")[0]):
        load(line)
