"""The URL space of the Compute API, below ``/v2.1`` (or ``/v2.1/{project_id}``), as one table.

A row says which handler answers, and in which microversions if not in all.  As in Nova, an operation that was removed
is 410, and any other URL is 404.
The version documents, which need no token, are in versions.py.
"""

from mininova.api.handlers import (
    aggregates,
    availability_zones,
    extensions,
    flavor_access,
    flavor_extra_specs,
    flavors,
    hypervisors,
    instance_actions,
    keypairs,
    networks,
    quotas,
    removed,
    server_actions,
    server_addresses,
    server_diagnostics,
    server_lists,
    server_metadata,
    server_tags,
    server_topology,
    servers,
    services,
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
    # ---- flavors and keypairs
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
    Route("GET", "/os-networks", networks.index, until="2.35"),
    Route("GET", "/os-networks/<id>", networks.show, until="2.35"),
    Route("GET", "/limits", quotas.limits),
    Route("GET", "/os-quota-sets/<id>", quotas.show),
    Route("GET", "/os-quota-sets/<id>/detail", quotas.detail),
    Route("GET", "/os-quota-sets/<id>/defaults", quotas.defaults),
    Route("GET", "/extensions", extensions.index),
    Route("GET", "/extensions/<alias>", extensions.show),
)

# Operations that Nova once served: 410 in every microversion.
REMOVED = (
    *(Route(method, path, removed.gone) for path, methods in removed.PATHS.items() for method in methods.split()),
    *(Route("POST", path, removed.gone, action=name) for path, names in removed.ACTIONS.items() for name in names),
)
