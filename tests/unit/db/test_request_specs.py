"""A build's request is recorded with its host, read when that host fails, and deleted with the instance."""

import pytest

from mininova import errors
from mininova.db import endings, instances, request_specs
from mininova.db.request_specs import Build
from mininova.objects import ImageMeta, RequestSpec, Retry, Selection


def recorded(flavor, uuid="u-1", *alternates):
    """Describe a build."""
    return Build(
        instance_uuid=uuid,
        spec=RequestSpec(flavor=flavor, image=ImageMeta(id="i", properties={"a": "b"}), project_id="demo"),
        alternates=tuple(Selection(host=host, node=host, availability_zone="nova") for host in alternates),
    )


def test_it_comes_back_as_it_was(tx, flavor):
    """All of it comes back; before hosts are chosen, there are no alternates."""
    build = recorded(flavor, "u-1", "host-2", "host-3")
    request_specs.create(tx, ["u-0", "u-1"], build.spec)
    request_specs.record(tx, build)
    assert request_specs.get(tx, "u-1") == build
    assert request_specs.get(tx, "u-0") == recorded(flavor, "u-0")
    with pytest.raises(errors.InstanceNotFound):
        request_specs.get(tx, "u-2")


def test_the_last_one_counts(tx, flavor):
    """A build that goes to another host overwrites its record."""
    request_specs.create(tx, ["u-1"], recorded(flavor).spec)
    request_specs.record(tx, recorded(flavor, "u-1", "host-2"))
    later = recorded(flavor, "u-1").failed_on("host-1", "the disk is full")
    request_specs.record(tx, later)
    assert request_specs.get(tx, "u-1") == later


def test_failed_on(flavor):
    """Each host that failed is counted, the last one with its reason."""
    build = recorded(flavor).failed_on("host-1", "no").failed_on("host-2", "no again")
    assert build.spec.retry == Retry(attempts=2, hosts=("host-1", "host-2"), reason="no again")


def test_it_goes_with_the_instance(tx, an_instance, flavor):
    """The end of a delete removes it."""
    (instance,) = instances.create(tx, [an_instance()])
    request_specs.create(tx, [instance.uuid], recorded(flavor).spec)
    endings.destroy(tx, instance.uuid)
    with pytest.raises(errors.InstanceNotFound):
        request_specs.get(tx, instance.uuid)
