"""The world as the newest requests of a store leave it: with this, one who comes later sees what there is."""

from collections.abc import Iterator

from mininova.flow.store import Reader
from mininova.flow.world import World

MOST_REQUESTS = 2_000
MAX_BYTES = 64 * 1024 * 1024  # of their events: some seconds of reading


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
