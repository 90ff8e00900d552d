"""How clients find the cloud: clouds.yaml for the openstack client and SDK, openrc for a shell, and control.json for
the control API, if there is one.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from stack.home import Home
from stack.settings import CHECKOUT, Settings

#: The name of each cloud in clouds.yaml → the user, who has a project of the same name.
USERS = {"mininova": "demo", "mininova-admin": "admin"}
#: The name of the secret that opens the control API.
CONTROL = "token of the control API"


def password(home: Home, user: str) -> str:
    """Give the password of a user."""
    return home.secret(f"password of {user}")


def write(home: Home, settings: Settings) -> None:
    """Write the files; they hold passwords, so only this user can read them."""
    clouds = {"clouds": {cloud: _cloud(home, settings, user) for cloud, user in USERS.items()}}
    note = "# Written by tools/stack.sh at each start.  JSON is YAML, too.\n"
    home.write_private(home.clouds, note + json.dumps(clouds, indent=2) + "\n")
    home.write_private(home.openrc, _openrc(home, settings))
    home.control.unlink(missing_ok=True)
    if settings.control:
        said = {"url": f"{settings.api_url}/control", "token": home.secret(CONTROL)}
        home.write_private(home.control, json.dumps(said) + "\n")


def page(home: Home, settings: Settings) -> str | None:
    """Give the address of the flow's page, with the token to play with it if it has one; None if there is no page."""
    if settings.flow_url is None:
        return None
    return settings.flow_url + (f"#token={home.secret(CONTROL)}" if settings.control else "")


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
        control=f"export MININOVA_CONTROL={shlex.quote(str(home.control))}\n" if settings.control else "",
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
{control}case $PATH in {bin}:*) ;; *) export PATH={bin}:$PATH ;; esac
case ${{1-}} in
{cases}
    *)
        unset OS_AUTH_TYPE OS_AUTH_URL OS_USERNAME OS_PASSWORD OS_PROJECT_NAME
        export OS_CLOUD=mininova
        ;;
esac
"""
