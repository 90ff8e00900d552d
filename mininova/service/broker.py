"""The connection to the message broker, as the settings describe it.  Each Process has one."""

from oslo_config.cfg import ConfigOpts

from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.amqp.tls import TLS


def transport(conf: ConfigOpts, *, declares: bool = True) -> AMQPTransport:
    """Make the transport; it connects when it is started.

    :param declares: whether to declare the exchanges: a compute must not, because the broker refuses it
    """
    rabbit = conf.oslo_messaging_rabbit
    return AMQPTransport(
        conf.transport_url,
        heartbeat=rabbit.heartbeat_timeout_threshold,
        quorum=rabbit.rabbit_quorum_queue,
        declares=declares,
        tls=TLS(ca_file=rabbit.ssl_ca_file, cert_file=rabbit.ssl_cert_file, key_file=rabbit.ssl_key_file),
    )
