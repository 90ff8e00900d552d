"""What to speak to the other services while they are being upgraded, one after the other.

A Process has one UpgradeLevels, and its peer asks it for each message.  For each topic ``[upgrade_levels]`` says where
the answer comes from: ``auto``, from what the services have registered with their heartbeats; the name of a release;
or a version.  A service with a database learns what is registered at each heartbeat of its own, a compute node from
the conductor.  A service that is down counts until it is deleted, for its messages wait for it (docs/adr/0008).
"""

import logging
from collections.abc import Callable, Collection, Mapping

from mininova import objects, rpc
from mininova.service.releases import OLDEST, RELEASES

LOG = logging.getLogger(__name__)

AUTO = "auto"
TOPICS = ("compute", "conductor", "scheduler")


def spoken(*interfaces: type[rpc.Interface]) -> dict[str, str]:
    """Tell what a service registers: the interfaces that it serves, and every object, by version."""
    served = {interface.topic: interface.version for interface in interfaces}
    return served | {name: cls.version for name, cls in objects.REGISTRY.items()}


def _of_release(name: str) -> dict[str, Collection[str]]:
    return {spoken: (version,) for spoken, version in RELEASES[name].items()}


class UpgradeLevels:
    """Know what others speak; until something is learned, that is what the oldest release speaks.

    :param settings: topic → ``auto``, the name of a release, or a version
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._levels = self._applied(_of_release(OLDEST))

    def __call__(self) -> rpc.Levels:
        """Give what others speak, as far as anybody knows."""
        return self._levels

    def learn(self, registered: rpc.Levels) -> None:
        """Take what the services have registered."""
        heeded = {name: [each for each in said if _counts(name, each)] for name, said in registered.items()}
        levels = self._applied({name: said for name, said in heeded.items() if said})
        if levels != self._levels:
            LOG.info("the others speak %s", levels)
            self._levels = levels

    def learn_from(self, ask: Callable[[], rpc.Levels]) -> None:
        """Ask what is registered, if any setting depends on it."""
        if AUTO in self._settings.values():
            self.learn(ask())

    def _applied(self, registered: rpc.Levels) -> rpc.Levels:
        """Combine what is registered with what is set; of objects, what all who are meant know of them."""
        levels: dict[str, Collection[str]] = {}
        for topic in TOPICS:
            setting = self._settings[topic]
            if setting == AUTO:
                source = registered
            else:
                source = _of_release(setting) if setting in RELEASES else {topic: (setting,)}
            for name, said in source.items():
                if name == topic or name not in TOPICS:
                    levels[name] = {*levels.get(name, ()), *said}
        return levels


def _counts(name: str, said: str) -> bool:
    """Tell whether what a service says of itself may decide what others get.

    What is no version, or older than any release we know, does not: a service that says so will refuse what it gets,
    and keeps nobody else from working.
    """
    oldest = RELEASES[OLDEST].get(name)
    try:
        spoken = [rpc.Version.parse(version) for version in said.split()]
    except ValueError:
        spoken = []
    counts = oldest is not None and any(version.accepts(rpc.Version.parse(oldest)) for version in spoken)
    if not counts:
        LOG.warning("a service has registered that it speaks %s %r, which is heeded by nobody", name, said)
    return counts
