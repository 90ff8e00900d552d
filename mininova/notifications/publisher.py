"""The notifier that a service's settings ask for: service.Process makes one with it."""

from functools import partial
from pathlib import Path
from typing import Any

import yaml
from oslo_config.cfg import ConfigOpts

from mininova import errors, plugins, rpc
from mininova.notifications import events
from mininova.rpc.notify import notifier
from mininova.rpc.notify.drivers import Driver


def make_notifier(conf: ConfigOpts, peer: rpc.Peer, publisher_id: str) -> rpc.Notifier:
    """Make a notifier of real drivers.

    :raises errors.ConfigError: when a driver does not exist, or the rules of routing cannot be read or followed
    """
    settings = conf.oslo_messaging_notifications
    try:
        routing = _rules(settings.routing_config) if "routing" in settings.driver else None
        find = partial(_driver, settings)
        drivers = notifier.drivers(settings.driver, peer, find, topics=settings.topics, routing=routing)
    except ValueError as error:
        problem = f"[oslo_messaging_notifications] routing_config = {settings.routing_config}: {error}"
        raise errors.ConfigError(problem=problem) from None
    wants = partial(events.wanted, conf.notifications.notify_on_state_change)
    return rpc.Notifier(peer, publisher_id, drivers=drivers, wants=wants)


def _driver(settings: Any, name: str) -> type[Driver]:
    """Load a driver; one that ``driver`` does not name is from the rules."""
    option = "driver" if name in settings.driver else f"routing_config = {settings.routing_config}"
    (found,) = plugins.load("notification driver", [name], Driver, f"[oslo_messaging_notifications] {option}")
    return found


def _rules(path: str | None) -> Any:
    """Read the rules of the driver routing.

    :raises ValueError: saying why not
    """
    if path is None:
        raise ValueError("the driver routing needs a file with its rules")
    try:
        return yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"it is no YAML: {error}") from None
