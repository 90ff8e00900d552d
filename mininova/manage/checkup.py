"""mininova-manage check: compare the broker's users, rights and lanes with what they should be.

What users and rights should be is in trust/broker/rights.py; what is behind the lanes of the computes, in
trust/broker/definitions.py.
"""

import argparse
import re
from collections.abc import Iterator, Mapping
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.db import identities as recorded
from mininova.flow import output
from mininova.manage.broker_admin import BrokerAdmin
from mininova.manage.database import opened
from mininova.manage.identities import layout_of
from mininova.rpc.transports.kombu.brokers import PREFIX, place
from mininova.service import broker as services
from mininova.trust import identities
from mininova.trust.broker import definitions, qpid
from mininova.trust.broker.rights import Layout, rights
from mininova.trust.identities import Identity
from mininova.trust.processes import UNENFORCED


def run(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Print what is weaker than it should be.

    :raises errors.Weaker: when anything is
    """
    with opened(conf) as db, db.read() as tx:
        known, hashes = recorded.search(tx), recorded.password_hashes(tx)
    found = list(by_kombu(conf))
    if services.has_users(conf):
        found += weaker(conf, known, BrokerAdmin(conf).defined(), hashes)
    if parsed.format == "json":
        output.show_json({"weaker": found, "services": len(identities.TRUSTED), "computes": len(known)})
    else:
        good = f"each of {len(identities.TRUSTED)} services and {len(known)} computes has its own rights, and no more"
        for line in [f"weaker  {each}" for each in found] or [f"good    {good}"]:
            output.say(line)
    if found:
        raise errors.Weaker(count=len(found))


def by_kombu(conf: ConfigOpts) -> Iterator[str]:
    """Give a sentence for each promise that the broker cannot keep by plain kombu."""
    if conf.transport_url.startswith(PREFIX):
        scheme = conf.transport_url.partition("://")[0]
        for promise in sorted(place(conf.transport_url).broker.lacks):
            yield f"messages go by {scheme}://, and nothing there {promise}"


def weaker(
    conf: ConfigOpts, computes: list[Identity], broker: Mapping[str, Any], hashes: Mapping[str, str] = {}
) -> Iterator[str]:
    """Give a sentence for each thing that is weaker than it should be.

    :param broker: its definitions, as it exports them
    :param hashes: of the passwords of computes, as far as they are recorded
    """
    if not conf.identities.enforce:
        yield UNENFORCED
    users = {user["name"]: user for user in broker.get("users", [])}
    if "guest" in users:
        yield "the broker has the user guest, whose password is public: rabbitmqctl delete_user guest"
    if "rules" in broker:
        yield from qpid.WEAKER
    elif "topic_permissions" not in broker:
        yield "the broker knows no topic permissions: a compute can get copies of messages for others"
    address = services.address(conf)
    if address.user not in identities.TRUSTED:
        yield f"this command logs in to the broker as {address.user or 'guest'}: its user should be manage"
    everyone, layout = [*map(identities.trusted, sorted(identities.TRUSTED)), *computes], layout_of(conf)
    wanted: Mapping[str, Any] = definitions.users(
        dict.fromkeys(everyone, ""), layout, virtual_host=address.virtual_host
    )
    if "rules" in broker:
        wanted = {"rules": qpid.rules(wanted)}
    for identity in everyone:
        yield from _about(identity.name, users.get(identity.name), wanted, broker)
        kept = users.get(identity.name, {}).get("password_hash")  # Qpid does not give it
        if kept is not None and hashes.get(identity.name, kept) != kept:
            yield f"{identity.name} has another password on the broker than is recorded: mininova-manage host rotate"
    for compute in computes if conf.identities.enforce else ():
        yield from _about_lane(compute, layout, broker)
    for name in sorted(users.keys() - {identity.name for identity in everyone} - {"guest"}):
        if _rights(name, broker):
            yield f"the broker lets in {name}, which is no user of this cloud"


def _about(
    name: str, user: Mapping[str, Any] | None, wanted: Mapping[str, Any], broker: Mapping[str, Any]
) -> Iterator[str]:
    if user is None:
        yield f"{name} has no broker user of its own"
        return
    tags = user.get("tags") or []  # a text before RabbitMQ 3.8, a list since
    if tags:
        yield f"{name} has a tag on the broker, {tags if isinstance(tags, str) else ', '.join(tags)}, and needs none"
    if _rights(name, broker) != _rights(name, wanted):
        yield f"{name} has other rights on the broker than it should"


def _about_lane(compute: Identity, layout: Layout, broker: Mapping[str, Any]) -> Iterator[str]:
    lane = layout.lane(compute.name)
    wanted = {_way(one) for one in definitions.lanes([compute], layout)["bindings"]}
    found = {_way(one) for one in broker.get("bindings", []) if one["source"] == lane}
    if not wanted <= found:
        yield f"messages of {compute.name} do not arrive: mininova-manage host rotate {compute.process} mends its lane"
    own = rights(compute, layout).configure
    for destination, _ in sorted(found - wanted):
        if not destination.endswith(f".from.{compute.name}") and not re.search(own, destination):
            yield f"messages of {compute.name} can reach {destination}, by the exchange {lane}"


def _way(binding: Mapping[str, Any]) -> tuple[str, str]:
    return binding["destination"], binding["routing_key"]


def _rights(name: str, definitions: Mapping[str, Any]) -> object:
    """Give what a user may do, to be compared."""
    if "rules" in definitions:
        return [rule for rule in definitions["rules"] if rule["identity"] == name]
    return _permissions(name, definitions)


def _permissions(name: str, definitions: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Give virtual host, or that and an exchange → its rights there."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for kind, words in (("permissions", ("configure", "write", "read")), ("topic_permissions", ("write", "read"))):
        for one in definitions.get(kind, []):
            if one["user"] == name:
                place = (one["vhost"], one["exchange"]) if "exchange" in one else (one["vhost"],)
                found[place] = tuple(one[word] for word in words)
    return found
