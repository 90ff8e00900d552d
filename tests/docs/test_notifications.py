"""docs/notifications.md lists every event."""

import re
from itertools import product
from typing import get_args

from documentation import ROOT

from mininova.notifications import events

PAGE = (ROOT / "docs/notifications.md").read_text()


def test_every_event_is_in_the_table():
    """Each event is listed with its phases; a step of a delete or a resize has no error, for then that has one."""
    table = PAGE.partition("<!-- the events -->\n")[2].partition("\n\n")[0]
    rows = [re.findall(r"`([\w.]+)`", "|".join(line.split("|")[1:3])) for line in table.splitlines()[2:]]
    listed = {f"{event}.{phase}" for event, *phases in rows for phase in phases}
    listed |= {event for event, *phases in rows if not phases}

    phased = set(product(get_args(events.Action), get_args(events.Phase))) - events.NO_EVENTS
    assert listed == {
        *(events.instance_event(action, phase) for action, phase in phased),
        events.INSTANCE_UPDATE,
        events.INSTANCE_EXISTS,
        events.EVACUATE,
        events.REBUILD_SCHEDULED,
        events.CACHE_IMAGES_PROGRESS,
        events.SERVER_GROUP_CREATE,
        events.SERVER_GROUP_ADD_MEMBER,
        events.SERVER_GROUP_DELETE,
        events.SELECT_DESTINATIONS_START,
        events.SELECT_DESTINATIONS_END,
    }
