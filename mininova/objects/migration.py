"""The way of an instance from one host to another, as the conductor and the two hosts see it."""

from mininova.objects.base import Versioned
from mininova.objects.flavor import Flavor


class Migration(Versioned, frozen=True, kw_only=True):
    """One way of one instance from a host to another, or to another flavor.

    :param migration_type: ``resize``, ``migration``, ``live-migration`` or ``evacuation``, as Nova has it
    :param status: in Nova's words: pre-migrating, migrating, post-migrating, finished, confirming, confirmed,
        reverting, reverted, error; of a live one: accepted, preparing, running, post-migrating, completed, error; of an
        evacuation: accepted, pre-migrating, done, completed, failed, error
    :param step: of conductor/steps.py, which is a host's to do now; None while no host has anything to do
    :param old_vm_state: in which the instance was when it began, or is to be after an evacuation
    :param dest_compute: None until the scheduler has chosen
    """

    uuid: str
    instance_uuid: str
    migration_type: str
    status: str
    old_vm_state: str
    old_flavor: Flavor
    new_flavor: Flavor
    source_compute: str
    source_node: str
    source_zone: str
    dest_compute: str | None = None
    dest_node: str | None = None
    dest_zone: str | None = None
    step: str | None = None
