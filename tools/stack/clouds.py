"""How clients find the cloud: clouds.yaml for the openstack client and SDK, openrc for a shell."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from stack.home import Home
from stack.settings import CHECKOUT, Settings

#: The name of each cloud in clouds.yaml → the user, who has a project of the same name.
USERS = {"mininova": "demo", "mininova-admin": "admin"}


def password(home: Home, user: str) -> str:
    """Give the password of a user."""
    return home.secret(f"password of {user}")


def write(home: Home, settings: Settings) -> None:
    """Write both files; they hold passwords, so only this user can read them."""
    clouds = {"clouds": {cloud: _cloud(home, settings, user) for cloud, user in USERS.items()}}
    note = "# Written by tools/stack.sh at each start.  JSON is YAML, too.\n"
    home.write_private(home.clouds, note + json.dumps(clouds, indent=2) + "\n")
    home.write_private(home.openrc, _openrc(home, settings))


def _cloud(home: Home, settings: Settings, user: str) -> dict[str, Any]:
    return {
        "auth_type": "password",
        "auth": {"auth_url": settings.auth_url, "password": password(home, user), **_who(user)},
        "region_name": "RegionOne",
        "identity_api_version": "3",
        "interface": "public",
    }


def _who(user: str) -> dict[str, str]:
    return {
        "username": user,
        "project_name": user,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }


def _openrc(home: Home, settings: Settings) -> str:
    """Write what a shell sources.

    It names a cloud of clouds.yaml, because the classic variables would win over any ``--os-cloud`` that follows.
    With a user's name behind it, as DevStack has it, it sets the classic ones, for clients that know no clouds.yaml.
    """
    return _OPENRC.format(
        openrc=shlex.quote(str(home.openrc)),
        clouds=shlex.quote(str(home.clouds)),
        config=shlex.quote(str(home.etc / "mininova.conf")),
        bin=shlex.quote(str(CHECKOUT / ".venv/bin")),
        cases="\n".join(_case(user, _cloud(home, settings, user)) for user in USERS.values()),
    )


def _case(user: str, cloud: Mapping[str, Any]) -> str:
    values = {**cloud["auth"], **{name: value for name, value in cloud.items() if name != "auth"}}
    exports = [f"        export OS_{name.upper()}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join([f"    {user})", "        unset OS_CLOUD", *exports, "        ;;"])


_OPENRC = """\
# Written by tools/stack.sh at each start.
#
#   . {openrc}           the demo user; then openstack --os-cloud mininova-admin … is the other one
#   . {openrc} admin     the same in classic variables, OS_USERNAME and so on

export OS_CLIENT_CONFIG_FILE={clouds}
export MININOVA_CONFIG_FILE={config}
case $PATH in {bin}:*) ;; *) export PATH={bin}:$PATH ;; esac
case ${{1-}} in
{cases}
    *)
        unset OS_AUTH_TYPE OS_AUTH_URL OS_USERNAME OS_PASSWORD OS_PROJECT_NAME
        export OS_CLOUD=mininova
        ;;
esac
"""
