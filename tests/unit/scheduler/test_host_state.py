"""A host state says how much room can still be claimed."""


def test_overcommit(a_host_state):
    """Free room follows from the ratios and the use."""
    host_state = a_host_state(
        vcpus=2, cpu_allocation_ratio=4.0, vcpus_used=1, ram_allocation_ratio=1.5, memory_mb_used=72, local_gb_used=10
    )
    assert (host_state.free_vcpus, host_state.free_memory_mb, host_state.free_disk_gb) == (7, 3000, 90)


def test_consume(a_host_state, a_spec):
    """Consumed room is no longer free; the node itself stays as it was reported."""
    host_state = a_host_state()
    host_state.consume(a_spec({"ephemeral_gb": 5, "swap_mb": 512}).flavor)
    assert (host_state.free_vcpus, host_state.free_memory_mb, host_state.free_disk_gb) == (7, 1024, 84)
    assert host_state.node.memory_mb_used == 0
