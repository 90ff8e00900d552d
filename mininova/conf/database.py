"""[database]: where the database is.  A compute node never reads it, and refuses a file that has it."""

from oslo_config import cfg

from mininova.conf.values import DatabaseURL

GROUP = cfg.OptGroup("database", help="Where the database is.  Never put this section on a compute node.")

OPTIONS: list[cfg.Opt] = [
    cfg.Opt(
        "connection",
        type=DatabaseURL(),
        default="sqlite:///$state_path/mininova.sqlite",
        secret=True,
        help="The database: sqlite:////FILE, mysql+pymysql://USER:PASSWORD@HOST/NAME (MySQL, MariaDB) or "
        "postgresql+psycopg://USER:PASSWORD@HOST/NAME.",
    ),
    cfg.FloatOpt(
        "connect_retry",
        default=60.0,
        min=0,
        help="How long to go on trying to reach a database that went away, in seconds, before the work at hand fails.",
    ),
]
