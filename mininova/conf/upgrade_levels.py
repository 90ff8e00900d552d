"""[upgrade_levels]: the versions to speak while older services are still running."""

from oslo_config import cfg, types

GROUP = cfg.OptGroup("upgrade_levels", help="The interface versions to send while older services are still running.")

LEVEL = types.String(regex=r"^[0-9]+\.[0-9]+$")


def _pin(interface: str) -> cfg.Opt:
    return cfg.Opt(
        interface,
        type=LEVEL,
        help=f"The newest version to speak to {interface}, such as 1.0.  Without it, ours.",
    )


OPTIONS: list[cfg.Opt] = [_pin(interface) for interface in ("compute", "conductor", "scheduler")]
