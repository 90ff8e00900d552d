"""[oslo_messaging_rabbit]: how the broker is spoken to; the group and its options are named as in Nova."""

from oslo_config import cfg

GROUP = cfg.OptGroup("oslo_messaging_rabbit", help="How the broker is spoken to.  Where it is: transport_url.")

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "ssl_ca_file",
        help="For amqps://, the authorities whose signature on the broker's certificate is trusted, in PEM.  Without "
        "it, those that the system trusts.  The certificate and its name are always verified.",
    ),
    cfg.StrOpt("ssl_cert_file", help="For amqps://, our own certificate in PEM, for a broker that asks for one."),
    cfg.StrOpt("ssl_key_file", help="The key of ssl_cert_file, if it is in a file of its own."),
    cfg.BoolOpt(
        "rabbit_quorum_queue",
        default=False,
        help="Make durable queues quorum queues, which outlive the loss of a broker in a cluster of at least three.  "
        "All services need the same value, and a queue that exists keeps its kind until it is deleted.",
    ),
    cfg.IntOpt(
        "heartbeat_timeout_threshold",
        default=30,
        min=3,
        help="The silence after which a broker is given up, in seconds.",
    ),
]
