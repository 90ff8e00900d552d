"""Which caller may do what: Nova's rules by Nova's names, as one table, decided by oslo.policy.

A deployment changes a rule in its ``policy.yaml``, as in Nova; the file is read once, when the api starts, and what
was decided is remembered.  Roles include one another downwards (admin, manager, member, reader); the token says them
all.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from oslo_config.cfg import ConfigOpts
from oslo_policy import policy as oslo_policy

from mininova import errors
from mininova.context import RequestContext

DEFAULT_FILE = "policy.yaml"  # is looked for where mininova.conf is, and need not be there

# What the rules below are made of (nova: policies/base.py).
BASE = {
    "context_is_admin": "role:admin",
    "project_reader_api": "role:reader and project_id:%(project_id)s",
    "project_member_api": "role:member and project_id:%(project_id)s",
    "project_manager_api": "role:manager and project_id:%(project_id)s",
    "project_reader_or_admin": "rule:project_reader_api or rule:context_is_admin",
    "project_member_or_admin": "rule:project_member_api or rule:context_is_admin",
    "project_manager_or_admin": "rule:project_manager_api or rule:context_is_admin",
    "service_api": "role:service",
    "service_or_admin": "rule:service_api or rule:context_is_admin",
    "user_or_admin": "user_id:%(user_id)s or rule:context_is_admin",
}

EVERY_CALLER = "@"
READER, MEMBER = "rule:project_reader_or_admin", "rule:project_member_or_admin"
MANAGER = "rule:project_manager_or_admin"
ADMIN, SELF, SERVICE = "rule:context_is_admin", "rule:user_or_admin", "rule:service_or_admin"

PREFIX = "os_compute_api:"

Owner = tuple[str | None, str | None]  # project and user

# Everything after the prefix; the two without it have their whole name.
RULES: dict[str, tuple[str, ...]] = {
    EVERY_CALLER: (
        "os-availability-zone:list", "extensions", "limits", "os-quota-sets:defaults", "os-floating-ip-pools",
    ),
    READER: (
        "servers:index", "servers:detail", "servers:show", "servers:show:flavor-extra-specs",
        "server-metadata:index", "server-metadata:show", "os-server-tags:index", "os-server-tags:show",
        "ips:index", "ips:show", "os-instance-actions:list", "os-instance-actions:show",
        "os-flavor-extra-specs:index", "os-flavor-extra-specs:show", "os-networks:list", "os-networks:show",
        "os-quota-sets:show", "os-quota-sets:detail", "os-simple-tenant-usage:show", "compute:server:topology:index",
        "os-server-groups:index", "os-server-groups:show", "os-server-password:show",
        "os-server-shares:index", "os-server-shares:show",
        "os-volumes-attachments:index", "os-volumes-attachments:show",
        "os-volumes:list", "os-volumes:detail", "os-volumes:show",
        "os-volumes:snapshots:list", "os-volumes:snapshots:detail", "os-volumes:snapshots:show",
        "os-tenant-networks:list", "os-tenant-networks:show",
        "os-security-groups:get", "os-security-groups:show", "os-security-groups:list",
        "os-attach-interfaces:list", "os-attach-interfaces:show", "os-floating-ips:list", "os-floating-ips:show",
    ),
    MEMBER: (
        "servers:create", "servers:create:attach_network", "servers:create:attach_volume", "servers:delete",
        "servers:update", "servers:reboot", "servers:start", "servers:stop",
        "server-metadata:create", "server-metadata:update_all", "server-metadata:update", "server-metadata:delete",
        "os-server-tags:delete_all", "os-server-tags:update_all", "os-server-tags:delete", "os-server-tags:update",
        "os-console-output", "os-remote-consoles", "os-deferred-delete:force", "os-deferred-delete:restore",
        "os-lock-server:lock", "os-lock-server:unlock", "os-pause-server:pause", "os-pause-server:unpause",
        "os-suspend-server:suspend", "os-suspend-server:resume", "os-admin-password",
        "os-rescue", "os-unrescue", "servers:rebuild", "servers:trigger_crash_dump",
        "servers:create_image", "servers:create_image:allow_volume_backed", "os-create-backup",
        "os-shelve:shelve", "os-shelve:unshelve",
        "os-server-groups:create", "os-server-groups:delete", "os-server-password:clear",
        "servers:resize", "servers:confirm_resize", "servers:revert_resize",
        "os-server-shares:create", "os-server-shares:delete",
        "os-volumes-attachments:create", "os-volumes-attachments:update", "os-volumes-attachments:delete",
        "os-volumes:create", "os-volumes:delete", "os-volumes:snapshots:create", "os-volumes:snapshots:delete",
        "os-security-groups:create", "os-security-groups:update", "os-security-groups:delete",
        "os-security-groups:rule:create", "os-security-groups:rule:delete", "os-security-groups:add",
        "os-security-groups:remove", "os-attach-interfaces:create", "os-attach-interfaces:delete",
        "os-floating-ips:create", "os-floating-ips:delete", "os-floating-ips:add", "os-floating-ips:remove",
        "os-multinic:add", "os-multinic:remove",
    ),
    MANAGER: ("os-migrate-server:migrate", "os-migrate-server:migrate_live", "os-migrations:index",
        "servers:migrations:index", "servers:migrations:delete", "servers:migrations:force_complete",
    ),
    SELF: ("os-keypairs:index", "os-keypairs:create", "os-keypairs:delete", "os-keypairs:show"),
    SERVICE: (
        "os-server-external-events:create", "os-volumes-attachments:swap", "os-assisted-volume-snapshots:create",
        "os-assisted-volume-snapshots:delete",
    ),
    ADMIN: (
        "servers:index:get_all_tenants", "servers:detail:get_all_tenants", "servers:allow_all_filters",
        "servers:show:host_status", "servers:create:forced_host",
        "compute:servers:create:requested_destination", "servers:create:zero_disk_flavor",
        "os-extended-server-attributes", "os-admin-actions:reset_state",
        "os-admin-actions:inject_network_info", "os-server-diagnostics", "os-evacuate",
        "os-lock-server:unlock:unlock_override", "os-shelve:shelve_offload", "os-shelve:unshelve_to_host",
        "os-instance-actions:events", "os-instance-actions:events:details",
        "os-flavor-manage:create", "os-flavor-manage:update", "os-flavor-manage:delete",
        "os-flavor-extra-specs:create", "os-flavor-extra-specs:update", "os-flavor-extra-specs:delete",
        "os-flavor-access", "os-flavor-access:add_tenant_access", "os-flavor-access:remove_tenant_access",
        "os-services:list", "os-services:update", "os-services:delete",
        "os-hypervisors:list", "os-hypervisors:list-detail", "os-hypervisors:statistics", "os-hypervisors:show",
        "os-hypervisors:uptime", "os-hypervisors:search", "os-hypervisors:servers",
        "os-hosts:list", "os-hosts:show", "os-hosts:update", "os-hosts:start", "os-hosts:shutdown", "os-hosts:reboot",
        "os-aggregates:index", "os-aggregates:show", "os-aggregates:create", "os-aggregates:update",
        "os-aggregates:delete", "os-aggregates:add_host", "os-aggregates:remove_host", "os-aggregates:set_metadata",
        "compute:aggregates:images", "os-baremetal-nodes:list", "os-baremetal-nodes:show",
        "os-availability-zone:detail", "limits:other_project",
        "os-quota-sets:update", "os-quota-sets:delete", "os-quota-class-sets:show", "os-quota-class-sets:update",
        "os-simple-tenant-usage:list", "os-instance-usage-audit-log:list", "os-instance-usage-audit-log:show",
        "os-server-groups:index:all_projects", "os-migrate-server:migrate:host", "os-migrate-server:migrate_live:host",
        "os-console-auth-tokens",
        "os-migrations:index:all_projects", "os-migrations:index:host", "servers:migrations:index:host",
        "servers:migrations:show",
    ),
}  # fmt: skip


def full_name(rule: str) -> str:
    """Give a rule the name that policy.yaml and Nova's messages have for it."""
    return rule if rule.startswith("compute:") else PREFIX + rule


class Policy:
    """Decides by the table and by the deployment's policy.yaml.

    :param conf: settings, with ``[oslo_policy]``
    :raises errors.ConfigError: when policy.yaml is named and is not there, or cannot be understood
    """

    def __init__(self, conf: ConfigOpts) -> None:
        enforcer = oslo_policy.Enforcer(conf)
        # Enforcer.register_defaults() would copy each, for what it does to deprecated ones, of which there is none.
        enforcer.registered_rules.update(_defaults())
        written = _read_file(conf)
        enforcer.load_rules()
        for rule, check in written.items():
            if str(enforcer.rules[rule]) == "!" != check:  # oslo.policy lets no one do what it does not understand
                raise errors.ConfigError(problem=f"[oslo_policy] policy_file: {rule} has a check that is none: {check}")
        # Enforcer.enforce() would look at the file's date, and copy the credentials, each time it is asked.
        self._enforcer = enforcer
        self._checks: Mapping[str, Any] = enforcer.rules
        self._decide = lru_cache(maxsize=4096)(self._ask)

    def allows(
        self, ctxt: RequestContext, rule: str, project_id: str | None = None, user_id: str | None = None
    ) -> bool:
        """Tell whether a caller may do something.

        :param rule: a name out of RULES
        :param project_id: whose the thing is; without it, the caller's
        :param user_id: likewise
        """
        target = (project_id or ctxt.project_id, user_id or ctxt.user_id)
        return self._decide(full_name(rule), ctxt.roles, (ctxt.project_id, ctxt.user_id), target)

    def require(
        self, ctxt: RequestContext, rule: str, project_id: str | None = None, user_id: str | None = None
    ) -> None:
        """Refuse what a caller may not do.

        :raises errors.NotAllowed: naming the rule
        """
        if not self.allows(ctxt, rule, project_id, user_id):
            raise errors.NotAllowed(action=full_name(rule))

    def _ask(self, rule: str, roles: tuple[str, ...], caller: Owner, owner: Owner) -> bool:
        target = {"project_id": owner[0], "user_id": owner[1]}
        credentials = {"roles": roles, "project_id": caller[0], "user_id": caller[1]}
        return bool(self._checks[rule](target, credentials, self._enforcer))


@cache
def _defaults() -> Mapping[str, oslo_policy.RuleDefault]:
    """Parse the tables above, once."""
    named = {full_name(rule): check for check, rules in RULES.items() for rule in rules}
    return {name: oslo_policy.RuleDefault(name, check) for name, check in (BASE | named).items()}


def _read_file(conf: ConfigOpts) -> Mapping[str, Any]:
    """Read policy.yaml, to complain where oslo.policy is silent or ends in a traceback; without one, give nothing."""
    setting, found = conf.oslo_policy.policy_file, conf.find_file(conf.oslo_policy.policy_file)
    named = f"[oslo_policy] policy_file = {setting}"
    if found is None:
        if setting != DEFAULT_FILE:
            raise errors.ConfigError(problem=f"{named}: there is no such file")
        return {}
    try:
        written = yaml.safe_load(Path(found).read_text()) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise errors.ConfigError(problem=f"{named} cannot be read: {error}") from error
    if not isinstance(written, dict) or not all(isinstance(it, str | list) for it in written.values()):
        wanted = '"os_compute_api:servers:create": "role:admin"'
        raise errors.ConfigError(problem=f"{named}: it is to have a check for each rule, such as {wanted}")
    return written
