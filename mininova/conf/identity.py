"""[identity]: the stand-in for Keystone."""

from oslo_config import cfg

GROUP = cfg.OptGroup("identity", help="The stand-in for Keystone: how its tokens are signed, and how long they live.")

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "token_key_file",
        default="$state_path/token.key",
        help="The file with the key that signs tokens.  mininova-manage bootstrap makes it; keep it as a password.",
    ),
    cfg.IntOpt("token_expiration", default=3600, min=1, help="How long a token is good for, in seconds."),
]
