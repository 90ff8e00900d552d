"""mininova-manage host add, rotate and remove: let a compute in, change its password, and cut it off.

Adding one makes three things: a broker user with the rights of a compute and a lane to send by, a row that says which
hosts it stands for, and the configuration file of the compute.  The password is made up here and written to that file
only: the broker gets a salted hash of it.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.db import identities as recorded
from mininova.db import networks, server_migrations
from mininova.flow.output import say
from mininova.manage import compute_file
from mininova.manage.broker_admin import BrokerAdmin
from mininova.manage.database import opened
from mininova.service import broker
from mininova.trust import host_lists, identities
from mininova.trust.broker import definitions
from mininova.trust.broker.definitions import Definitions
from mininova.trust.broker.rights import Layout
from mininova.trust.identities import Identity


def add(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Make the broker user of a compute, record its hosts, and write its configuration file.

    :raises errors.InvalidInput: a bad name, or one that could be mistaken for another compute's
    :raises errors.HostHasIdentity: another compute has one of the hosts
    :raises OSError: when the file cannot be written; nothing was made
    """
    try:
        identity = identities.compute(parsed.name, host_lists.read(parsed.hosts))
    except ValueError as error:
        raise errors.InvalidInput(reason=error) from None
    with opened(conf) as db, db.read() as tx:
        recorded.check_free(tx, identity)
    compute_file.check(_path(parsed))
    password, defined = _new_password(conf, identity)
    BrokerAdmin(conf).define(defined)
    _record(conf, identity, defined)
    compute_file.write(_path(parsed), conf, identity, compute_file.url_for(conf, identity, password))
    say(f"{identity.name} may use the broker, for {host_lists.write(identity.hosts)}")
    say(f"its settings are in {_path(parsed)}: start mininova-compute there with --config-file")


def rotate(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Give a compute a new password, and end the connections that it made with the old one.

    What the broker is to keep of it is recorded first: a conductor that is just renewing the compute's password has the
    broker keep what is recorded last.

    :raises errors.IdentityNotFound: there is none of this name
    :raises OSError: when the file cannot be written; the old password is still good
    """
    identity = _known(conf, parsed.name)
    compute_file.check(_path(parsed))
    password, defined = _new_password(conf, identity)
    _record(conf, identity, defined)
    BrokerAdmin(conf).define(defined)
    compute_file.write(_path(parsed), conf, identity, compute_file.url_for(conf, identity, password))
    BrokerAdmin(conf).disconnect(identity.name, "its password was changed")
    say(f"{identity.name} has a new password, and was cut off")
    say(f"its settings are in {_path(parsed)}: restart mininova-compute there")


def remove(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Remove the broker user of a compute, which cuts it off, and forget its hosts, and that addresses wait for them.

    The user is removed first, so that the compute is cut off even if a later step fails.  What its hosts may offer
    stays recorded: a compute that is added again would else set its zone, traits and room itself, and so would a
    report of the removed one that is still in its lane.

    :raises errors.IdentityNotFound: there is none of this name
    """
    identity = _known(conf, parsed.name)
    admin = BrokerAdmin(conf)
    there = admin.remove(identity.name)
    with opened(conf) as db, db.write() as tx:
        recorded.remove(tx, identity.name)
        for host in identity.hosts:
            server_migrations.forget_host(tx, host)
            networks.forget(tx, host)  # no guest is left there that could use an address, says the operator
    try:
        admin.unbind(layout_of(conf).lane(identity.name), broker.address(conf).virtual_host)
    except errors.BrokerAdminFailed as error:  # such as of another broker than RabbitMQ
        say(f"what it has bound to its lane stays on the broker: {error}")
    say(f"{identity.name} is removed, and was cut off" if there else f"{identity.name} is removed")
    say(f"what waits for it stays on the broker, in the queues of {host_lists.write(identity.hosts)}: compute.HOST")
    say("what its hosts may offer stays recorded, until `mininova-manage host limit HOST --forget`")


def _known(conf: ConfigOpts, name: str) -> Identity:
    with opened(conf) as db, db.read() as tx:
        identity = recorded.get(tx, f"{identities.COMPUTE}.{name}")
    if identity is None:
        raise errors.IdentityNotFound(name=f"{identities.COMPUTE}.{name}")
    return identity


def _new_password(conf: ConfigOpts, identity: Identity) -> tuple[str, Definitions]:
    """Make up a password; give it, and what the broker is to have for a user with it."""
    virtual_host = broker.address(conf).virtual_host
    password, layout = definitions.new_password(), layout_of(conf)
    quorum, plain = conf.oslo_messaging_rabbit.rabbit_quorum_queue, conf.broker_admin.plain_passwords
    defined = definitions.together(
        definitions.places(layout, virtual_host=virtual_host, quorum=quorum),
        definitions.lanes([identity], layout, virtual_host=virtual_host, quorum=quorum),
        definitions.users({identity: password}, layout, virtual_host=virtual_host, plain=plain),
    )
    return password, defined


def _record(conf: ConfigOpts, identity: Identity, defined: Definitions) -> None:
    (user,) = defined["users"]
    with opened(conf) as db, db.write() as tx:
        recorded.record(tx, identity.name, identity.hosts, datetime.now(UTC), user["password_hash"])


def layout_of(conf: ConfigOpts) -> Layout:
    """Give the names of exchanges and queues on the broker of the settings."""
    return Layout(exchange=conf.control_exchange, notifications=tuple(conf.oslo_messaging_notifications.topics))


def _path(parsed: argparse.Namespace) -> Path:
    return Path(parsed.file or f"mininova-compute-{parsed.name}.conf").absolute()
