"""The world as the newest requests of a store leave it: with this, one who comes later sees what there is."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mininova import errors
from mininova.flow.store import Reader
from mininova.flow.world import World

LATE = 2.5  # heartbeats that did not come: then nothing is known of a service
MOST_REQUESTS = 2_000
MAX_BYTES = 64 * 1024 * 1024  # of their events: some seconds of reading


def so_far(directory: str | Path, *, report_interval: float, down_after: float) -> World:
    """Make the world as a collector's store knows it; it begins empty where none has ever written.

    :param report_interval: seconds between two heartbeats of a service
    :param down_after: seconds of silence after which a service counts as down
    """
    world = World(late_after=LATE * report_interval, down_after=down_after)
    with suppress(errors.FlowNotKept):
        replay(world, Reader(directory))
    return world


def replay(world: World, reader: Reader) -> None:
    """Let a world take what the newest requests were."""
    for request_id in reversed(list(_newest(reader))):
        world.take(reader.told(request_id))


def _newest(reader: Reader) -> Iterator[str]:
    left = MAX_BYTES
    for found in reader.requests(everything=True)[: -MOST_REQUESTS - 1 : -1]:
        left -= found.size
        if left < 0:
            return
        yield found.request_id
