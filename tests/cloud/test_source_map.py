"""The README's two maps of the source agree with a boot that the test watches."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import documentation
import pytest

from tests.fixtures.cloud import Cloud

# Tables, declarations and values: a boot reads them and calls no function in them.
NOT_CALLED = {
    "mininova/wsgi/api-paste.ini",
    "mininova/api/routes.py",
    "mininova/api/schemas/",
    "mininova/conductor/rpcapi.py",
    "mininova/objects/instance.py",
    "mininova/service/images.py",  # what an image service is
}


@contextmanager
def called() -> Iterator[list[str]]:
    """Give the files of mininova in which this thread calls a function, in the order of their first calls."""
    files: dict[str, None] = {}

    def note(frame: FrameType, event: str, argument: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(documentation.ROOT / "mininova"):
            files.setdefault(str(path.relative_to(documentation.ROOT)))

    found = list[str]()
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)
        found.extend(files)


@pytest.fixture
def files(cloud: Cloud) -> list[str]:
    """The files that one boot runs, from the request to the last notification."""
    cloud.login()
    assert cloud.image
    with called() as files:
        cloud.boot()
        cloud.run()
    return files


def test_the_boot_comes_to_the_twelve_files_in_their_order(files: list[str]):
    """A reader of the first map meets each file where the boot first calls it."""
    mapped = [file for file in documentation.boot_map() if file not in NOT_CALLED]
    assert mapped == [file for file in files if file in mapped]


def test_no_file_of_the_boot_is_without_a_place(files: list[str]):
    """Each file that a boot runs is in one of the two maps, by its name or by its folder's."""
    places = [*documentation.boot_map(), *documentation.beneath_map()]
    lost = [file for file in files if not any(file == place or file.startswith(place) for place in places)]
    assert "\n".join(lost) == ""


def test_the_second_map_names_nothing_that_a_boot_does_not_need(files: list[str]):
    """The boot calls a function in each place of the second map, unless the place is only read."""
    idle = [place for place in documentation.beneath_map() if not any(file.startswith(place) for file in files)]
    assert set(idle) <= NOT_CALLED
