"""What is drawn from a storm's seed."""

from itertools import islice

from storm.plan import AWAY, BROKER, DATABASE, LOSE_DISK, STOP, TROUBLES, WEIGHTS, faults, wishes

PROGRAMS = (BROKER, DATABASE, "mininova-api", "mininova-compute-host-1")


def drawn(seed, kills=300):
    """Draw the faults of a seed."""
    return faults(seed, 1000, kills, PROGRAMS)


def test_a_seed_is_a_storm():
    """The same seed gives the same faults and the same wishes, another one gives others."""
    assert drawn(1) == drawn(1) != drawn(2)
    assert list(islice(wishes(1, 1), 50)) == list(islice(wishes(1, 1), 50)) != list(islice(wishes(1, 2), 50))


def test_every_kind_of_fault_is_drawn():
    """Any program may be hit; only the broker loses its disk, and it has no way to itself; what lasts is mended."""
    found = drawn(1)

    assert {fault.target for fault in found} == set(PROGRAMS)
    assert {fault.target for fault in found if fault.kind == LOSE_DISK} == {BROKER}
    assert {fault.kind for fault in found if fault.target == DATABASE} == {AWAY}
    assert {fault.kind for fault in found} >= set(TROUBLES)
    assert not {fault.kind for fault in found if fault.target == BROKER} & set(TROUBLES)
    assert all((fault.seconds > 0) == (fault.kind in (STOP, AWAY, *TROUBLES)) for fault in found)
    assert [fault.at for fault in found] == sorted(fault.at for fault in found)


def test_clients_ask_for_everything():
    """Each operation is drawn, and boots of several servers."""
    found = list(islice(wishes(1, 1), 500))

    assert {wish.operation for wish in found} == set(WEIGHTS)
    assert {wish.count for wish in found} == {1, 2, 3}
    assert all(0 <= wish.which < 1 for wish in found)
