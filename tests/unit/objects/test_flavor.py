"""The disk that an instance of a flavor takes."""

import pytest

from mininova.objects import Flavor


@pytest.mark.parametrize(("swap_mb", "disk_gb"), [(0, 30), (1, 31), (1024, 31), (1025, 32)])
def test_a_flavor_takes_its_disks_and_whole_gigabytes_of_swap(swap_mb: int, disk_gb: int):
    """Swap is in MiB and a host's disk in GiB, so swap is rounded up."""
    flavor = Flavor(flavor_id="1", name="n", memory_mb=1, vcpus=1, root_gb=20, ephemeral_gb=10, swap_mb=swap_mb)

    assert flavor.disk_gb == disk_gb
