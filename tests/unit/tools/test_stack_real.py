"""What a stack with the real Keystone and Glance writes down, and what it refuses."""

import configparser

import pytest
from stack import real, services, settings
from stack.errors import StackError

from mininova import conf
from mininova.manage import standins
from mininova.service import images

BOTH = {"MININOVA_IDENTITY": "keystone", "MININOVA_IMAGE": "glance", "MININOVA_COMPUTES": "1"}


@pytest.fixture
def read(home):
    """Give a function that writes the files for some variables, and gives mininova's settings and its Paste file."""

    def read(asked):
        wanted = settings.from_environment(asked, home)
        services.write_configuration(home, wanted)
        real.write_files(home, wanted)
        paste = configparser.RawConfigParser(strict=False, delimiters=("=",))
        paste.read(real.paste_file(home))
        return conf.read_files("api", [str(home.etc / "mininova.conf")]), paste

    return read


def test_mininova_is_led_to_both(home, read):
    """Tokens, projects and images are asked of them, and their stand-ins are neither served nor filled."""
    wrote, paste = read(BOTH)

    assert wrote.keystone_authtoken.auth_url.endswith("/v3")
    assert wrote.keystone_authtoken.password
    assert paste["filter:authtoken"]["paste.filter_factory"] == "mininova.real.keystone:filter_factory"
    assert images.configured(wrote) == paste["app:volume_app"]["image_service"] == "mininova.real.glance:image_service"
    assert {"/identity", "/image"}.isdisjoint(paste["composite:services"])
    assert {"/compute", "/network", "/volume"} <= set(paste["composite:services"])
    assert [type(it).__name__ for it in standins.installed(wrote)] == ["StandIn"] * 2
    assert {"keystone", "glance"} <= set(services.names(settings.from_environment(BOTH, home)))


def test_images_may_stay_with_the_stand_in(home, read):
    """With the real Keystone alone, the stand-in for Glance is served as before."""
    wrote, paste = read({**BOTH, "MININOVA_IMAGE": "standin"})

    assert images.configured(wrote) == "mininova.standins.glance.in_process:image_service"
    assert "/image" in paste["composite:services"]
    assert "glance" not in services.names(settings.from_environment({**BOTH, "MININOVA_IMAGE": ""}, home))


def test_keys_are_made_once(home, read):
    """A second start leaves them, for what they signed is still valid; only this user can read them."""
    read(BOTH)
    keys = {file: file.read_text() for file in (home.root / "keystone").rglob("*-keys/*")}
    read(BOTH)

    assert len(keys) == len(set(keys.values())) == 6
    assert all(file.read_text() == key and file.stat().st_mode & 0o77 == 0 for file, key in keys.items())


def test_without_them_nothing_is_written(home):
    """The stack with the stand-ins has no file and no program of theirs."""
    wanted = settings.from_environment({}, home)
    real.write_files(home, wanted)

    assert not real.paste_file(home).exists()
    assert list(real.programs(home, wanted)) == real.names(wanted) == []


def test_glance_wants_keystone(home):
    """A real Glance alone is refused, since the stand-in's catalog leads to no other."""
    with pytest.raises(StackError, match="MININOVA_IDENTITY=keystone"):
        settings.from_environment({"MININOVA_IMAGE": "glance"}, home)
