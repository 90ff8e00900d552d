"""[upgrade_levels]: the versions to speak while older services are still running."""

from typing import Any

from oslo_config import cfg

from mininova.conf.values import Text
from mininova.rpc.versions import Version
from mininova.service.releases import RELEASES

GROUP = cfg.OptGroup("upgrade_levels", help="The interface versions to send while older services are still running.")


class Level(Text):
    """``auto``, the name of a release, or a version such as ``1.0``."""

    def __init__(self) -> None:
        super().__init__(type_name="level")

    def __call__(self, value: Any) -> str:
        """Take what is one of the three.

        :raises ValueError: naming what there is
        """
        level = str(value).strip()
        if level == "auto" or level in RELEASES:
            return level
        try:
            return str(Version.parse(level))
        except ValueError:
            known = " or ".join(RELEASES)
            raise ValueError(f"{level!r} is no level: write auto, a release ({known}), or a version as 1.0") from None


def _pin(interface: str) -> cfg.Opt:
    return cfg.Opt(
        interface,
        type=Level(),
        default="auto",
        help=f"What to speak to {interface}: auto, as much as all services have registered that they understand; the "
        f"name of a release ({', '.join(RELEASES)}), for the objects in messages as well; or a version, such as 1.0.",
    )


OPTIONS: list[cfg.Opt] = [_pin(interface) for interface in ("compute", "conductor", "scheduler")]
