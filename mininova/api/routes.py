"""The URL space of the Compute API, below ``/v2.1`` (or ``/v2.1/{project_id}``), as one table.

A row says which handler answers, and in which microversions if not in all.  As in Nova, an operation that was removed
is 410, and any other URL is 404.
The version documents, which need no token, are in versions.py.
"""

from dataclasses import replace

from mininova.api.handlers import (
    aggregates,
    availability_zones,
    extensions,
    flavor_access,
    flavor_extra_specs,
    flavors,
    hypervisors,
    instance_actions,
    instance_usage_audit_log,
    keypairs,
    networks,
    quota_classes,
    quotas,
    removed,
    server_actions,
    server_addresses,
    server_diagnostics,
    server_groups,
    server_images,
    server_lists,
    server_metadata,
    server_snapshots,
    server_tags,
    server_topology,
    servers,
    services,
    simple_tenant_usage,
)
from mininova.wsgi import Route

ACTION = "/servers/<id>/action"

ROUTES = (
    Route("GET", "/servers", server_lists.index),
    Route("POST", "/servers", servers.create),
    Route("GET", "/servers/detail", server_lists.detail),
    Route("GET", "/servers/<id>", servers.show),
    Route("PUT", "/servers/<id>", servers.update),
    Route("DELETE", "/servers/<id>", servers.delete),
    # ---- what can be done to one
    Route("POST", ACTION, server_actions.start, action="os-start"),
    Route("POST", ACTION, server_actions.stop, action="os-stop"),
    Route("POST", ACTION, server_actions.reboot, action="reboot"),
    Route("POST", ACTION, server_actions.pause, action="pause"),
    Route("POST", ACTION, server_actions.unpause, action="unpause"),
    Route("POST", ACTION, server_actions.suspend, action="suspend"),
    Route("POST", ACTION, server_actions.resume, action="resume"),
    Route("POST", ACTION, server_images.rescue, action="rescue"),
    Route("POST", ACTION, server_actions.unrescue, action="unrescue"),
    Route("POST", ACTION, server_images.rebuild, action="rebuild"),
    Route("POST", ACTION, server_snapshots.create_image, action="createImage"),
    Route("POST", ACTION, server_snapshots.create_backup, action="createBackup"),
    Route("POST", ACTION, server_actions.trigger_crash_dump, action="trigger_crash_dump", since="2.17"),
    Route("POST", ACTION, server_actions.change_password, action="changePassword"),
    Route("POST", ACTION, server_actions.restore, action="restore"),
    Route("POST", ACTION, server_actions.force_delete, action="forceDelete"),
    Route("POST", ACTION, server_actions.lock, action="lock"),
    Route("POST", ACTION, server_actions.unlock, action="unlock"),
    Route("POST", ACTION, server_actions.reset_state, action="os-resetState"),
    Route("POST", ACTION, server_actions.console_output, action="os-getConsoleOutput"),
    # ---- what belongs to one
    Route("GET", "/servers/<server_id>/metadata", server_metadata.index),
    Route("POST", "/servers/<server_id>/metadata", server_metadata.create),
    Route("PUT", "/servers/<server_id>/metadata", server_metadata.update_all),
    Route("GET", "/servers/<server_id>/metadata/<key>", server_metadata.show),
    Route("PUT", "/servers/<server_id>/metadata/<key>", server_metadata.update),
    Route("DELETE", "/servers/<server_id>/metadata/<key>", server_metadata.delete),
    Route("GET", "/servers/<server_id>/tags", server_tags.index, since="2.26"),
    Route("PUT", "/servers/<server_id>/tags", server_tags.update_all, since="2.26"),
    Route("DELETE", "/servers/<server_id>/tags", server_tags.delete_all, since="2.26"),
    Route("GET", "/servers/<server_id>/tags/<tag>", server_tags.show, since="2.26"),
    Route("PUT", "/servers/<server_id>/tags/<tag>", server_tags.update, since="2.26"),
    Route("DELETE", "/servers/<server_id>/tags/<tag>", server_tags.delete, since="2.26"),
    Route("GET", "/servers/<server_id>/ips", server_addresses.index),
    Route("GET", "/servers/<server_id>/ips/<network>", server_addresses.show),
    Route("GET", "/servers/<server_id>/diagnostics", server_diagnostics.index),
    Route("GET", "/servers/<server_id>/topology", server_topology.index, since="2.78"),
    Route("GET", "/servers/<server_id>/os-instance-actions", instance_actions.index),
    Route("GET", "/servers/<server_id>/os-instance-actions/<request_id>", instance_actions.show),
    # ---- flavors, keypairs and server groups
    Route("GET", "/flavors", flavors.index),
    Route("POST", "/flavors", flavors.create),
    Route("GET", "/flavors/detail", flavors.detail),
    Route("GET", "/flavors/<id>", flavors.show),
    Route("PUT", "/flavors/<id>", flavors.update, since="2.55"),
    Route("DELETE", "/flavors/<id>", flavors.delete),
    Route("POST", "/flavors/<id>/action", flavor_access.add, action="addTenantAccess"),
    Route("POST", "/flavors/<id>/action", flavor_access.remove, action="removeTenantAccess"),
    Route("GET", "/flavors/<flavor_id>/os-flavor-access", flavor_access.index),
    Route("GET", "/flavors/<flavor_id>/os-extra_specs", flavor_extra_specs.index),
    Route("POST", "/flavors/<flavor_id>/os-extra_specs", flavor_extra_specs.create),
    Route("GET", "/flavors/<flavor_id>/os-extra_specs/<key>", flavor_extra_specs.show),
    Route("PUT", "/flavors/<flavor_id>/os-extra_specs/<key>", flavor_extra_specs.update),
    Route("DELETE", "/flavors/<flavor_id>/os-extra_specs/<key>", flavor_extra_specs.delete),
    Route("GET", "/os-keypairs", keypairs.index),
    Route("POST", "/os-keypairs", keypairs.create),
    Route("GET", "/os-keypairs/<name>", keypairs.show),
    Route("DELETE", "/os-keypairs/<name>", keypairs.delete),
    Route("GET", "/os-server-groups", server_groups.index),
    Route("POST", "/os-server-groups", server_groups.create),
    Route("GET", "/os-server-groups/<id>", server_groups.show),
    Route("DELETE", "/os-server-groups/<id>", server_groups.delete),
    # ---- the cloud itself
    Route("GET", "/os-services", services.index),
    Route("PUT", "/os-services/<id>", services.update),
    Route("DELETE", "/os-services/<id>", services.delete),
    Route("GET", "/os-hypervisors", hypervisors.index),
    Route("GET", "/os-hypervisors/detail", hypervisors.detail),
    Route("GET", "/os-hypervisors/statistics", hypervisors.statistics, until="2.87"),
    Route("GET", "/os-hypervisors/<id>", hypervisors.show),
    Route("GET", "/os-hypervisors/<id>/uptime", hypervisors.uptime, until="2.87"),
    Route("GET", "/os-hypervisors/<id>/search", hypervisors.search, until="2.52"),
    Route("GET", "/os-hypervisors/<id>/servers", hypervisors.servers, until="2.52"),
    Route("GET", "/os-availability-zone", availability_zones.index),
    Route("GET", "/os-availability-zone/detail", availability_zones.detail),
    Route("GET", "/os-aggregates", aggregates.index),
    Route("POST", "/os-aggregates", aggregates.create),
    Route("GET", "/os-aggregates/<id>", aggregates.show),
    Route("PUT", "/os-aggregates/<id>", aggregates.update),
    Route("DELETE", "/os-aggregates/<id>", aggregates.delete),
    Route("POST", "/os-aggregates/<id>/action", aggregates.add_host, action="add_host"),
    Route("POST", "/os-aggregates/<id>/action", aggregates.remove_host, action="remove_host"),
    Route("POST", "/os-aggregates/<id>/action", aggregates.set_metadata, action="set_metadata"),
    Route("GET", "/os-networks", networks.index, until="2.35"),
    Route("GET", "/os-networks/<id>", networks.show, until="2.35"),
    Route("GET", "/limits", quotas.limits),
    Route("GET", "/os-quota-sets/<id>", quotas.show),
    Route("PUT", "/os-quota-sets/<id>", quotas.update),
    Route("DELETE", "/os-quota-sets/<id>", quotas.delete),
    Route("GET", "/os-quota-sets/<id>/detail", quotas.detail),
    Route("GET", "/os-quota-sets/<id>/defaults", quotas.defaults),
    Route("GET", "/os-simple-tenant-usage", simple_tenant_usage.index),
    Route("GET", "/os-simple-tenant-usage/<id>", simple_tenant_usage.show),
    Route("GET", "/os-instance_usage_audit_log", instance_usage_audit_log.index),
    Route("GET", "/os-instance_usage_audit_log/<id>", instance_usage_audit_log.show),
    Route("GET", "/os-quota-class-sets/<id>", quota_classes.show),
    Route("PUT", "/os-quota-class-sets/<id>", quota_classes.update),
    Route("GET", "/extensions", extensions.index),
    Route("GET", "/extensions/<alias>", extensions.show),
)

# Another name of /servers, for what Nova's own controller of servers does: nothing was ever different there.
ALIASED = {None, "confirmResize", "createImage", "os-start", "os-stop", "reboot", "rebuild", "resize", "revertResize",
           "trigger_crash_dump"}  # fmt: skip
ALIASES = tuple(
    replace(row, template=row.template.replace("/servers", "/os-volumes_boot"), until="2.102")
    for row in ROUTES
    if row.template in {"/servers", "/servers/detail", "/servers/<id>", ACTION} and row.action in ALIASED
)

# Operations that Nova once served: 410 in every microversion.
REMOVED = (
    *(Route(method, path, removed.gone) for path, methods in removed.PATHS.items() for method in methods.split()),
    *(Route("POST", path, removed.gone, action=name) for path, names in removed.ACTIONS.items() for name in names),
)
