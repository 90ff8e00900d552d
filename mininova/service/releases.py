"""What each release of mininova speaks: the one table that a pin by name is looked up in, oldest release first.

A release names the version of each interface by its topic, and of each object that travels.  The last row is this
code, and a test keeps it so.  A row is never changed once its release is out; a release that can no longer be
upgraded from is removed.  The names are stars, in the order of the alphabet.
"""

from collections.abc import Mapping

_ACRUX = {
    "compute": "1.0",
    "conductor": "1.0",
    "scheduler": "1.0",
    "ComputeNode": "1.0",
    "Fault": "1.0",
    "FixedIP": "1.0",
    "Flavor": "1.0",
    "ImageMeta": "1.0",
    "Instance": "1.0",
    "InstanceChanges": "1.0",
    "RequestSpec": "1.0",
    "Retry": "1.0",
    "Selection": "1.0",
    "Service": "1.0",
}

_BELLATRIX = {
    **_ACRUX,
    "compute": "1.1",
    "conductor": "1.1",
    "BlockDevice": "1.0",
    "ComputeNode": "1.1",
    "Console": "1.0",
    "FixedIP": "1.1",
    "Migration": "1.0",
    "RequestSpec": "1.1",
    "TaskLog": "1.0",
}

RELEASES: Mapping[str, Mapping[str, str]] = {"acrux": _ACRUX, "bellatrix": _BELLATRIX}

OLDEST = next(iter(RELEASES))
