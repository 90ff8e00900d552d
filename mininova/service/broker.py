"""The connection to the message broker, as the settings describe it.  Each Process has one."""

from collections.abc import Callable
from pathlib import Path

from oslo_config.cfg import ConfigOpts

from mininova import errors, followed
from mininova.followed import Followed
from mininova.rpc.losses import Losing, Losses
from mininova.rpc.transports import in_process
from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.amqp.address import Address, Passwords, addresses
from mininova.rpc.transports.amqp.tls import TLS
from mininova.rpc.transports.base import Transport
from mininova.rpc.transports.kombu import KombuTransport
from mininova.rpc.transports.kombu.brokers import PREFIX, VOUCHES, place


def transport(conf: ConfigOpts, *, declares: bool = True, passwords: Passwords | None = None) -> Transport:
    """Make the transport; it connects when it is started.

    :param declares: whether to declare the exchanges: a compute must not, because the broker refuses it
    :param passwords: of a process that renews its own
    :raises errors.ConfigError: when the broker cannot keep what other settings ask for
    """
    if conf.transport_url.startswith(in_process.SCHEME):
        return _in_process(conf)
    if conf.transport_url.startswith(PREFIX):
        return _by_kombu(conf, declares=declares)
    rabbit = conf.oslo_messaging_rabbit
    return AMQPTransport(
        conf.transport_url,
        heartbeat=rabbit.heartbeat_timeout_threshold,
        quorum=rabbit.rabbit_quorum_queue,
        declares=declares,
        passwords=passwords,
        tls=TLS(ca_file=rabbit.ssl_ca_file, cert_file=rabbit.ssl_cert_file, key_file=rabbit.ssl_key_file),
    )


def _in_process(conf: ConfigOpts) -> Transport:
    try:
        return in_process.InProcessTransport(conf.transport_url)
    except LookupError:
        problem = "transport_url: memory:// is a broker inside mininova-cloud, which no other process reaches"
        raise errors.ConfigError(problem=problem) from None


def _by_kombu(conf: ConfigOpts, *, declares: bool) -> Transport:
    made = KombuTransport(conf.transport_url, heartbeat=conf.oslo_messaging_rabbit.heartbeat_timeout_threshold)
    scheme = conf.transport_url.partition("://")[0]
    if conf.identities.enforce and VOUCHES in made.lacks:
        why = f"{scheme}:// does not say truly who sent a message, and [identities] enforce decides by that"
    elif not declares:
        why = f"a compute whose rights are enforced makes no exchanges, and {scheme}:// cannot do without"
    elif conf.oslo_messaging_rabbit.rabbit_quorum_queue:
        why = f"{scheme}:// makes no quorum queues, and [oslo_messaging_rabbit] rabbit_quorum_queue asks for them"
    else:
        return made
    raise errors.ConfigError(problem=f"transport_url: {why}; use amqp://, or change that setting")


def losses(file: str | None, sender: str) -> Callable[[], Losing] | None:
    """Follow the file that says which messages are lost on purpose; None without one.

    :param sender: who loses them, for the log
    :raises errors.ConfigError: when the file is bad from the start, quoting line and field
    """
    return Followed(Path(file), lambda path: Losing(followed.read(path, Losses)), sender).now if file else None


def address(conf: ConfigOpts) -> Address:
    """Give the first address of the broker.

    :raises errors.ConfigError: when it is no broker with users
    """
    if not has_users(conf):
        scheme = conf.transport_url.partition("://")[0]
        raise errors.ConfigError(problem=f"transport_url: {scheme}:// is no broker with users")
    return addresses(conf.transport_url.removeprefix(PREFIX))[0]


def has_users(conf: ConfigOpts) -> bool:
    """Tell whether the broker keeps users and their rights, which an operator can change."""
    url = conf.transport_url
    if url.startswith(in_process.SCHEME):
        return False
    return not url.startswith(PREFIX) or VOUCHES not in place(url).broker.lacks
