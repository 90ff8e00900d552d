"""Which versions to send to the other services while an operator upgrades them one after the other.

A Process has one UpgradeLevels, and its peer asks it for each message.  For each topic ``[upgrade_levels]`` says where
the answer comes from: ``auto`` is what the services have registered with their heartbeats; otherwise it is a version,
or the name of a release.  A service with a database reads what is registered before its first message, and at each of
its own heartbeats; a compute asks the conductor.  A service that is down counts until it is deleted, for its messages
wait for it (docs/adr/0008).
"""

import logging
from collections.abc import Callable, Collection, Mapping

from mininova import objects, rpc
from mininova.service.releases import OLDEST, RELEASES

LOG = logging.getLogger(__name__)

AUTO = "auto"
TOPICS = ("compute", "conductor", "scheduler")


def spoken(*interfaces: type[rpc.Interface]) -> dict[str, str]:
    """Give what a service registers: the versions of the interfaces that it serves, and of every object."""
    served = {interface.topic: interface.version for interface in interfaces}
    return served | {name: cls.version for name, cls in objects.REGISTRY.items()}


def _of_release(name: str) -> dict[str, Collection[str]]:
    return {spoken: (version,) for spoken, version in RELEASES[name].items()}


class UpgradeLevels:
    """Knows which versions the others speak.

    :param settings: topic → ``auto``, the name of a release, or a version
    :param read: reads what the services have registered, for the first message; without it the versions of the oldest
        release count until others were learned
    """

    def __init__(self, settings: Mapping[str, str], read: Callable[[], rpc.Levels] | None = None) -> None:
        self._settings, self._read = settings, read
        self._levels = self._applied(_of_release(OLDEST))

    def __call__(self) -> rpc.Levels:
        """Give the versions that the others speak, as far as we know."""
        if self._read is not None:
            self.learn_from(self._read)
        return self._levels

    def learn(self, registered: rpc.Levels) -> None:
        """Take what the services have registered."""
        counted = {name: [each for each in said if _counts(name, each)] for name, said in registered.items()}
        levels = self._applied({name: said for name, said in counted.items() if said})
        if levels != self._levels:
            LOG.info("the other services speak %s", _in_words(levels) or "nothing yet, for none has registered")
            self._levels = levels
        self._read = None

    def learn_from(self, ask: Callable[[], rpc.Levels]) -> None:
        """Ask what is registered, if any setting depends on it."""
        self.learn(ask() if AUTO in self._settings.values() else {})

    def _applied(self, registered: rpc.Levels) -> rpc.Levels:
        """Combine what is registered with what is set; an object keeps the versions of all services that get it."""
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


def _in_words(levels: rpc.Levels) -> str:
    return ", ".join(f"{name} {'/'.join(sorted(said))}" for name, said in sorted(levels.items()))


def _counts(name: str, said: str) -> bool:
    """Tell whether what a service says of itself may decide what others get.

    What is no version, or older than every release we know, does not: that service will refuse what it gets, and the
    others go on working.
    """
    oldest = next((speaks[name] for speaks in RELEASES.values() if name in speaks), None)
    try:
        spoken = [rpc.Version.parse(version) for version in said.split()]
    except ValueError:
        spoken = []
    counts = oldest is not None and any(version.accepts(rpc.Version.parse(oldest)) for version in spoken)
    if not counts:
        LOG.warning("ignored that a service registered %s %r: not a version we support", name, said)
    return counts
