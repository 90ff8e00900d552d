"""The README's map of the source is in the order in which a boot comes to the files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import documentation

from tests.fixtures.cloud import Cloud

# Files of the map in which nothing runs during a boot: tables and contracts, and what stands for memory.py here.
NOT_RUN = {
    "etc/mininova/api-paste.ini",
    "mininova/api/routes.py",
    "mininova/rpc/transports/amqp/transport.py",
    "mininova/rpc/transports/amqp/link.py",
    "mininova/rpc/transports/amqp/publishing.py",
    "mininova/rpc/transports/amqp/confirming.py",
    "mininova/rpc/transports/amqp/reading.py",
    "mininova/virt/driver.py",
}
# What happens all along has no place in the order, and what it calls is not counted.
ALL_ALONG = [
    "mininova/notifications/events.py",
    "mininova/rpc/notify/notifier.py",
    "mininova/rpc/watch/flow.py",
]


class Watch:
    """Note in which order files of mininova are come to."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._aside: FrameType | None = None

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Take one call or return (sys.setprofile)."""
        if self._aside is not None:
            if event == "return" and frame is self._aside:
                self._aside = None
        elif event == "call":
            self._come_to(frame)

    def _come_to(self, frame: FrameType) -> None:
        file = _name(frame.f_code.co_filename)
        if file in ALL_ALONG:
            self._aside = frame
            return
        if file == "mininova/rpc/interface.py" and frame.f_code.co_name == "__get__":
            # A declared method is never run: looking it up is coming to its rpcapi.
            self._note(_name(frame.f_locals["self"].function.__code__.co_filename))
        self._note(file)

    def _note(self, file: str | None) -> None:
        if file is not None and file not in self.files:
            self.files.append(file)


def _name(filename: str) -> str | None:
    path = Path(filename)
    return str(path.relative_to(documentation.ROOT)) if path.is_relative_to(documentation.ROOT / "mininova") else None


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch what runs in this thread."""
    watch = Watch()
    sys.setprofile(watch)
    try:
        yield watch
    finally:
        sys.setprofile(None)


def test_map_is_in_the_order_of_a_boot(cloud: Cloud):
    """A boot comes to the files of the map one after the other, as the map has them."""
    cloud.login()
    assert cloud.image
    with watched() as watch:
        cloud.boot()
        cloud.run()
    mapped = [file for file in documentation.source_map() if file not in NOT_RUN]
    assert mapped == [*(file for file in watch.files if file in mapped), *ALL_ALONG]
