"""A Paste file becomes an application."""

from pathlib import Path

import pytest

from mininova import errors
from mininova.plugins.paste import OURS, paste_file
from mininova.wsgi import Application, Parts, Request, Route, current_parts, load_app

PARTS = Parts("conf", "db", "peer", "notifier", None)  # type: ignore[arg-type]


def conf_factory(global_conf: dict[str, str]) -> Application:
    """Make an application that gives the parts that it was made of."""
    parts = current_parts()
    return Application([Route("GET", "/", lambda request: {"conf": parts.conf})], "compute")


def test_a_factory_picks_up_the_parts(tmp_path: Path) -> None:
    """Objects that a file cannot name reach the factory while the file is loaded."""
    paste = tmp_path / "paste.ini"
    paste.write_text(f"[app:main]\npaste.app_factory = {__name__}:conf_factory\n")
    assert Request.blank("/").get_response(load_app(paste, "main", PARTS)).json == {"conf": "conf"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file|not found"),
        ("", "main"),
        ("[app:main]\npaste.app_factory = nowhere:at_all\n", "nowhere"),
        ("[app:main", "no section headers"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str | None, said: str) -> None:
    """The error has the setting, the file and what is wrong with it."""
    paste = tmp_path / "paste.ini"
    if text is not None:
        paste.write_text(text)
    with pytest.raises(errors.ConfigError, match=rf"\[api\] paste_config = {paste} cannot be used: .*({said})"):
        load_app(paste, "main", PARTS)


def test_which_file_is_read(tmp_path: Path) -> None:
    """The file of the settings wins over the operator's, and that over the one in the package."""
    theirs = tmp_path / "api-paste.ini"
    assert paste_file(None, theirs) == OURS
    theirs.touch()
    assert paste_file(None, theirs) == theirs
    assert paste_file("/srv/paste.ini", theirs) == Path("/srv/paste.ini")


def test_outside_a_load_there_are_no_parts() -> None:
    """The parts are not global: a factory outside of a load has none."""
    with pytest.raises(LookupError):
        current_parts()


def test_the_index_lists_the_services() -> None:
    """The root of the port lists the services at the address where the request came in."""
    from mininova.wsgi.index import app_factory

    request = Request.blank("/", base_url="http://cloud:8774", headers={"Host": "evil.example"})
    assert request.get_response(app_factory({})).json["services"]["compute"] == "http://cloud:8774/compute"
