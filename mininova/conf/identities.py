"""[identities]: whether who sent a message decides what it may ask."""

from oslo_config import cfg

GROUP = cfg.OptGroup("identities", help="Who sent a message, as the broker vouches for it, and what that decides.")

OPTIONS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "enforce",
        default=True,
        help="Refuse what the broker user of a sender may not ask.  False is for a broker on which all services share "
        "one user: then whoever has that user's password may ask anything of anybody.",
    ),
]
