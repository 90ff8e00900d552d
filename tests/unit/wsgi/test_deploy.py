"""From a Paste file to an application."""

from pathlib import Path

import pytest

from mininova.wsgi import Application, Parts, Request, Route, current_parts, load_app

PARTS = Parts("conf", "db", "peer", "notifier", None)  # type: ignore[arg-type]


def conf_factory(global_conf: dict[str, str]) -> Application:
    """Make an application that tells what it was made of."""
    parts = current_parts()
    return Application([Route("GET", "/", lambda request: {"conf": parts.conf})], "compute")


def test_a_factory_picks_up_the_parts(tmp_path: Path) -> None:
    """What cannot be written in a file reaches the factory while the file is loaded."""
    paste = tmp_path / "paste.ini"
    paste.write_text(f"[app:main]\npaste.app_factory = {__name__}:conf_factory\n")
    assert Request.blank("/").get_response(load_app(paste, "main", PARTS)).json == {"conf": "conf"}


def test_outside_a_load_there_are_no_parts() -> None:
    """Nothing is global: a factory called on its own finds nothing."""
    with pytest.raises(LookupError):
        current_parts()


def test_the_index_lists_the_services() -> None:
    """The root of the port says where the services are, as the caller reaches it."""
    from mininova.wsgi.index import app_factory

    answer = Request.blank("/", base_url="http://cloud:8774").get_response(app_factory({})).json
    assert answer["services"]["compute"] == "http://cloud:8774/compute"
