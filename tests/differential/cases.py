"""The requests that are played on a real Nova and on our cloud: every operation in every state, wrong bodies, stories.

Names in bodies and paths that begin with ``$`` stand for what has another id in each cloud: ``$server``, ``$image``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

#: Token and project of each user: an administrator, a member of a project, a stranger.
USERS = {
    "admin": ("admin", "admin+manager+member+reader"),
    "demo": ("demo", "member+reader"),
    "stranger": ("other", "member+reader"),
}


@dataclass(frozen=True)
class Asked:
    """One request.

    :param harmless: whether it leaves a server in the state in which it was
    :param keep: what later requests of its story name with a ``$``: name → the keys that lead to it in the answer
    """

    method: str
    path: str
    body: Any = None
    user: str = "demo"
    version: str = "2.96"
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    harmless: bool = False


def act(name: str, body: Any = None, **more: Any) -> Asked:
    """Ask for an action of a server."""
    return Asked("POST", "/servers/$server/action", {name: body}, **more)


def admin(name: str, body: Any = None, **more: Any) -> Asked:
    """Ask for an action of a server, as an administrator."""
    return act(name, body, user="admin", **more)


#: What servers are made of: there is room for many of the small flavor, and for none of the huge one.
FLAVORS = {"small": (1, 64, 1), "big": (2, 128, 2), "thin": (1, 64, 0), "huge": (1, 64, 1_000_000)}
WANTED = {"name": "one", "imageRef": "$image", "flavorRef": "small", "networks": "none"}


def boot(**more: Any) -> Asked:
    """Ask for a server."""
    return Asked("POST", "/servers", {"server": {**WANTED, **more}})


# ---- every operation in every state

OPERATIONS = {
    "stop": act("os-stop"),
    "start": act("os-start"),
    "reboot": act("reboot", {"type": "SOFT"}),
    "hard reboot": act("reboot", {"type": "HARD"}),
    "pause": act("pause"),
    "unpause": act("unpause"),
    "suspend": act("suspend"),
    "resume": act("resume"),
    "rescue": act("rescue", {"adminPass": "new"}),
    "unrescue": act("unrescue"),
    "rebuild": act("rebuild", {"imageRef": "$image", "metadata": {"made": "anew"}}),
    "change password": act("changePassword", {"adminPass": "new"}),
    "create image": act("createImage", {"name": "of one"}),
    "create backup": act("createBackup", {"name": "of one", "backup_type": "daily", "rotation": 1}),
    "crash dump": act("trigger_crash_dump", harmless=True),
    "shelve": act("shelve"),
    "offload": admin("shelveOffload"),
    "unshelve": act("unshelve"),
    "unshelve to a host": admin("unshelve", {"host": "host2"}),
    "resize": act("resize", {"flavorRef": "big"}),
    "resize to the same": act("resize", {"flavorRef": "small"}),
    "migrate": admin("migrate"),
    "migrate to its host": admin("migrate", {"host": "$host"}),
    "migrate to nowhere": admin("migrate", {"host": "no-such-host"}),
    "confirm": act("confirmResize"),
    "revert": act("revertResize"),
    "live migrate": admin("os-migrateLive", {"host": None, "block_migration": "auto"}),
    "live migrate to its host": admin("os-migrateLive", {"host": "$host", "block_migration": "auto"}),
    "live migrate to nowhere": admin("os-migrateLive", {"host": "no-such-host", "block_migration": "auto"}),
    "evacuate": admin("evacuate", {}),
    "evacuate to nowhere": admin("evacuate", {"host": "no-such-host"}),
    "lock": act("lock"),
    "unlock": act("unlock"),
    "reset to error": admin("os-resetState", {"state": "error"}),
    "reset to active": admin("os-resetState", {"state": "active"}),
    "inject network info": admin("injectNetworkInfo", harmless=True),
    "console output": act("os-getConsoleOutput", {"length": 1}, harmless=True),
    "diagnostics": Asked("GET", "/servers/$server/diagnostics", user="admin", harmless=True),
    "topology": Asked("GET", "/servers/$server/topology", harmless=True),
    "rename": Asked("PUT", "/servers/$server", {"server": {"name": "renamed"}}, harmless=True),
    "set metadata": Asked("POST", "/servers/$server/metadata", {"metadata": {"a": "b"}}, harmless=True),
    "delete metadata": Asked("DELETE", "/servers/$server/metadata/no", harmless=True),
    "set tags": Asked("PUT", "/servers/$server/tags", {"tags": ["a"]}, harmless=True),
    "set tag": Asked("PUT", "/servers/$server/tags/a", harmless=True),
    "server password": Asked("DELETE", "/servers/$server/os-server-password", harmless=True),
    "abort migration": Asked("DELETE", "/servers/$server/migrations/1", user="admin"),
    "force migration": Asked("POST", "/servers/$server/migrations/1/action", {"force_complete": None}, user="admin"),
    "restore": act("restore"),
    "force delete": act("forceDelete"),
    "delete": Asked("DELETE", "/servers/$server"),
}

#: A state: how its server is booted, and the operations that bring it there.
STATES: dict[str, tuple[Asked, tuple[str, ...]]] = {
    "active": (boot(), ()),
    "stopped": (boot(), ("stop",)),
    "paused": (boot(), ("pause",)),
    "suspended": (boot(), ("suspend",)),
    "rescued": (boot(), ("rescue",)),
    "shelved": (boot(), ("shelve",)),
    "offloaded": (boot(), ("shelve", "offload")),
    "resized": (boot(), ("resize",)),
    "in error": (boot(), ("reset to error",)),
    "nowhere": (boot(flavorRef="huge"), ()),
    "deleted": (boot(), ("delete",)),
    "locked": (boot(), ("lock",)),
}

#: Something that is being done to a server while more is asked: the state before, the operation, and its task_state.
HELD: dict[str, tuple[str, str, str]] = {
    "stopping": ("active", "stop", "powering-off"),
    "rebooting hard": ("active", "hard reboot", "rebooting_hard"),
    "resuming": ("suspended", "resume", "resuming"),
    "making an image": ("active", "create image", "image_snapshot_pending"),
    "unshelving": ("offloaded", "unshelve", "unshelving"),
    "resizing": ("active", "resize", "resize_prep"),
    "migrating": ("active", "live migrate", "migrating"),
}

# ---- wrong requests

#: Bodies that no action takes, or only one that takes anything.
WRONG: dict[str, Any] = {
    "nothing": None,
    "an object": {},
    "an unknown key": {"unknown": 1},
    "a string": "x",
    "a list": [],
}


def wrong() -> Iterator[tuple[str, Asked]]:
    """Give wrong requests for each action, by name: bodies, no such server, a stranger, a member."""
    for name, asked in OPERATIONS.items():
        if asked.path.endswith("$server/action"):
            action = next(iter(asked.body))
            yield from ((f"{name}: {kind}", replace(asked, body={action: body})) for kind, body in WRONG.items())
            yield f"{name}: two actions", replace(asked, body={action: asked.body[action], "os-stop": None})
            yield f"{name}: at 2.1", replace(asked, version="2.1")
            yield f"{name}: at 2.104", replace(asked, version="2.104")
        yield f"{name}: no such server", replace(asked, path=asked.path.replace("$server", "$nobody"))
        yield f"{name}: no uuid", replace(asked, path=asked.path.replace("$server", "one"))
        for user in ("stranger", "demo"):
            if user != asked.user:
                yield f"{name}: by {user}", replace(asked, user=user)


#: Bodies of POST /servers.
WRONG_BOOTS: dict[str, Any] = {
    "no name": {"name": None},
    "an empty name": {"name": ""},
    "a long name": {"name": "x" * 256},
    "spaces around its name": {"name": " one "},
    "no image": {"imageRef": ""},
    "an image that is none": {"imageRef": "cirros"},
    "an image that is not there": {"imageRef": "$nobody"},
    "a flavor that is not there": {"flavorRef": "none"},
    "a flavor's number": {"flavorRef": 99},
    "no networks": {"networks": None},
    "unknown networks": {"networks": "some"},
    "more than there may be": {"min_count": 3, "max_count": 2},
    "none": {"min_count": 0},
    "a count that is none": {"max_count": "many"},
    "a zone that is not there": {"availability_zone": "mars"},
    "a host that is not there": {"host": "mars"},
    "metadata that is none": {"metadata": {"a": 1}},
    "a long key of metadata": {"metadata": {"k" * 256: "v"}},
    "a key pair that is not there": {"key_name": "none"},
    "user data that is not base64": {"user_data": "?"},
    "files": {"personality": [{"path": "/a", "contents": ""}]},
    "an unknown key": {"unknown": 1},
    "a description that is none": {"description": 1},
    "a long description": {"description": "x" * 256},
    "tags that are none": {"tags": ["a,b"]},
    "a tag twice": {"tags": ["a", "a"]},
    "a long tag": {"tags": ["x" * 61]},
    "a hostname that is none": {"hostname": "a_b"},
    "certificates that are none": {"trusted_image_certificates": [1]},
    "a config drive that is none": {"config_drive": "maybe"},
    "a disk config that is none": {"OS-DCF:diskConfig": "SOME"},
    "an address that is none": {"accessIPv4": "1.2.3"},
    "a flavor without a disk": {"flavorRef": "thin"},
}
WRONG_HINTS: dict[str, Any] = {
    "a group that is none": {"group": "one"},
    "a group that is not there": {"group": "$nobody"},
    "a same_host that is none": {"same_host": "one"},
    "an unknown hint": {"unknown": "x"},
    "an address range that is none": {"build_near_host_ip": "x"},
}


def wrong_boots() -> Iterator[tuple[str, Asked]]:
    """Give requests for servers, most of them wrong, by name."""
    for name, more in WRONG_BOOTS.items():
        yield f"boot: {name}", replace(boot(**more), user="admin" if "host" in more else "demo")
    for name, hints in WRONG_HINTS.items():
        yield f"boot: {name}", replace(boot(), body={**boot().body, "os:scheduler_hints": hints})
    yield "boot: no server", Asked("POST", "/servers", {})
    yield "boot: a list", Asked("POST", "/servers", {"server": []})
    yield "boot: no body", Asked("POST", "/servers")
    yield "boot: networks before 2.37", replace(boot(), version="2.36")
    yield "boot: a microversion that is none", replace(boot(), version="two")
    yield "boot: a microversion of the future", replace(boot(), version="2.999")
