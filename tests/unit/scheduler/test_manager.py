"""select_destinations chooses hosts, claims room on them, and says why when it cannot."""

from uuid import uuid4

import pytest
from sqlalchemy import event

from mininova import errors, states
from mininova.context import RequestContext
from mininova.db import actions, claims, hosts, instances, services
from mininova.rpc.server import check_manager
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.states import UNCOMPARED


def used(db):
    """Give the memory that is claimed on each host."""
    with db.read() as tx:
        return {node.host: node.memory_mb_used for node, _ in hosts.states(tx)}


def take(db, host, spec):
    """Claim room on a host, as another scheduler would."""
    with db.write() as tx:
        assert claims.claim(tx, str(uuid4()), host, spec.flavor)


@pytest.fixture
def late(meanwhile, db, a_spec):
    """Claim room on a host right after the scheduler has read the hosts."""
    return lambda host: meanwhile(lambda candidates: take(db, host, a_spec()))


@pytest.fixture
def disable(db):
    """Disable a host, as an operator would."""

    def disable(host):
        with db.write() as tx:
            (service,) = services.search(tx, host=host)
            services.update(tx, service.uuid, disabled=True)

    return disable


@pytest.fixture
def ask(a_spec, ctxt):
    """Ask a scheduler for hosts, and give the first for each instance."""

    def ask(scheduler, asked):
        answer = scheduler.select_destinations(ctxt, a_spec(num_instances=len(asked)), asked)
        return [first.host for first, *_ in answer]

    return ask


def claimed(db, asked):
    """Give the host of each instance's claim; None where it has none."""
    with db.read() as tx:
        hosts = claims.hosts_of(tx, asked)
    return [hosts.get(uuid) for uuid in asked]


def test_interface(scheduler):
    """Every method of SchedulerAPI is there, with the arguments that are declared."""
    check_manager(SchedulerAPI, scheduler)


def test_claims(scheduler, db, known, a_spec, ctxt, uuids):
    """The first host of an answer has the instance's room claimed."""
    known("host-1")
    (uuid,) = uuids(1)
    ((selection,),) = scheduler.select_destinations(ctxt, a_spec(), [uuid])
    assert (selection.host, selection.node, selection.availability_zone) == ("host-1", "host-1.cell", "nova")
    with db.read() as tx:
        assert claims.of_instance(tx, uuid).host == "host-1"
    assert used(db) == {"host-1": 1024}


def test_best_first(scheduler, known, a_spec, ctxt, uuids):
    """The host with the most room comes first, the others follow as alternates."""
    known("host-1")
    known("host-2", memory_mb=8192)
    known("host-3", memory_mb=4096)
    (selections,) = scheduler.select_destinations(ctxt, a_spec(), uuids(1))
    assert [selection.host for selection in selections] == ["host-2", "host-3", "host-1"]


def test_as_many_as_attempts(a_scheduler, known, a_spec, ctxt, uuids):
    """An answer has as many hosts as a build may try."""
    for number in range(5):
        known(f"host-{number}")
    scheduler = a_scheduler(**{"scheduler.max_attempts": 2})
    (selections,) = scheduler.select_destinations(ctxt, a_spec(), uuids(1))
    assert len(selections) == 2


def test_spreads(scheduler, db, known, a_spec, ctxt, uuids):
    """Each instance of a request sees the room that the others take."""
    for number in range(3):
        known(f"host-{number}")
    answers = scheduler.select_destinations(ctxt, a_spec(num_instances=6), uuids(6))
    assert sorted(claimed.host for claimed, *_ in answers) == sorted(["host-0", "host-1", "host-2"] * 2)
    assert set(used(db).values()) == {2048}


def test_equals_are_drawn(a_scheduler, known, a_spec, ctxt, uuids):
    """Equal hosts are ordered at random, so that not every request goes to the first."""
    for number in range(4):
        known(f"host-{number}")
    scheduler = a_scheduler(**{f"filter_scheduler.{each}_weight_multiplier": 0.0 for each in ("ram", "cpu")})
    chosen = [scheduler.select_destinations(ctxt, a_spec(), uuids(1))[0][0].host for _ in range(6)]
    assert len(set(chosen)) > 1


def test_two_schedulers(scheduler, late, db, known, a_spec, ctxt, uuids):
    """A scheduler with an old view of the hosts loses the claim, and takes the next best host."""
    known("host-1", memory_mb=1536, vcpus=16)
    known("host-2", memory_mb=1024)
    late("host-1")
    ((claimed, *_),) = scheduler.select_destinations(ctxt, a_spec(), uuids(1))
    assert claimed.host == "host-2"
    assert used(db) == {"host-1": 1024, "host-2": 1024}


def test_all_claims_lost(scheduler, late, known, a_spec, ctxt, uuids):
    """If every claim is lost there is no valid host; the hosts are looked at again, and the reason is true by then."""
    known("host-1", memory_mb=1024)
    late("host-1")
    with pytest.raises(errors.NoValidHost, match=r"RamFilter left none of 1 host \(ComputeFilter 1, RamFilter 0\)"):
        scheduler.select_destinations(ctxt, a_spec(), uuids(1))


def test_all_or_nothing(scheduler, db, known, a_spec, ctxt, uuids):
    """If one instance of a request cannot be placed, none keeps a claim."""
    known("host-1")
    with pytest.raises(errors.NoValidHost, match="after 2 of the instances RamFilter left none of 1 host"):
        scheduler.select_destinations(ctxt, a_spec(num_instances=3), uuids(3))
    assert used(db) == {"host-1": 0}


def test_frees_what_was_claimed(scheduler, late, db, known, a_spec, ctxt, uuids):
    """A claim of the failed request is freed."""
    known("host-1")
    late("host-1")
    with pytest.raises(errors.NoValidHost):
        scheduler.select_destinations(ctxt, a_spec(num_instances=2), uuids(2))
    assert used(db) == {"host-1": 1024}  # the other one's


def test_asked_again(scheduler, db, known, a_spec, ctxt, uuids):
    """A request that is repeated, for its first answer was lost, keeps its claims."""
    known("host-1", memory_mb=1024)
    (uuid,) = uuids(1)
    ((first, *_),), ((second, *_),) = (scheduler.select_destinations(ctxt, a_spec(), [uuid]) for _ in range(2))
    assert first == second
    assert used(db) == {"host-1": 1024}


@pytest.mark.parametrize("gone", [{"host": "host-2"}, {"vm_state": states.ERROR, "task_state": None}])
def test_asked_too_late(scheduler, db, known, a_spec, ctxt, uuids, gone):
    """A late copy of a request claims nothing for an instance that has a host by now, or was deleted."""
    known("host-1")
    (uuid,) = uuids(1)
    with db.write() as tx:
        instances.update(tx, uuid, gone, generation=UNCOMPARED, expected_task_state=UNCOMPARED)
    scheduler.select_destinations(ctxt, a_spec(), [uuid])
    assert used(db) == {"host-1": 0}


def test_asked_for_what_has_ended(scheduler, db, known, a_spec, ctxt, uuids):
    """A late copy of a request claims nothing for what was asked of the instance since (seed 90001 of tests/chaos)."""
    known("host-1")
    (uuid,) = uuids(1)
    with db.write() as tx:
        actions.finish(tx, uuid)
        actions.start(tx, RequestContext(request_id="req-2"), [instances.get(tx, uuid)], "build", due_after=30)
    scheduler.select_destinations(ctxt, a_spec(), [uuid])
    assert used(db) == {"host-1": 0}


@pytest.mark.parametrize("others", [["host-2"], []], ids=["another host is there", "none is"])
def test_asked_again_after_a_failure(scheduler, db, known, a_spec, ctxt, uuids, others):
    """Room that a late copy of the first call claims on the host that has failed since is given back, not used."""
    for host in ("host-1", *others):
        known(host)
    (uuid,) = uuids(1)
    with db.write() as tx:
        claims.claim(tx, uuid, "host-1", a_spec().flavor)
    if others:
        ((selection, *_),) = scheduler.select_destinations(ctxt, a_spec(tried=("host-1",)), [uuid])
        assert selection.host == "host-2"
        assert used(db) == {"host-1": 0, "host-2": 1024}
    else:
        with pytest.raises(errors.NoValidHost):
            scheduler.select_destinations(ctxt, a_spec(tried=("host-1",)), [uuid])


def test_earlier_claims_are_kept(scheduler, db, known, a_spec, ctxt, uuids):
    """A copy that cannot place all instances frees only its own claims."""
    known("host-1", memory_mb=1024)
    one, other = uuids(2)
    scheduler.select_destinations(ctxt, a_spec(), [one])
    with pytest.raises(errors.NoValidHost):
        scheduler.select_destinations(ctxt, a_spec(), [one, other])
    assert used(db) == {"host-1": 1024}


def test_the_twins_claim_is_the_answer(scheduler, twin, meanwhile, db, known, disable, ask, uuids):
    """Of two overlapping copies of a request, the later answers with the claims of the other."""
    known("host-1", memory_mb=8192)
    known("host-2", memory_mb=4096)
    asked, answers = uuids(2), []

    def place_elsewhere(_):
        disable("host-1")
        answers.append(ask(twin, asked))

    meanwhile(place_elsewhere)
    assert ask(scheduler, asked) == answers[0] == claimed(db, asked) == ["host-2", "host-2"]
    assert used(db) == {"host-1": 0, "host-2": 2048}


def test_the_twin_has_placed_some(scheduler, twin, meanwhile, db, known, disable, ask, uuids):
    """A copy with more instances than the other claims the missing ones, and leaves the rest."""
    known("host-1", memory_mb=8192)
    known("host-2", memory_mb=4096)
    one, other = uuids(2)

    def place_one_elsewhere(_):
        disable("host-1")
        ask(twin, [other])

    meanwhile(place_one_elsewhere)
    assert ask(scheduler, [one, other]) == claimed(db, [one, other]) == ["host-1", "host-2"]
    assert used(db) == {"host-1": 1024, "host-2": 1024}


def test_the_twin_took_the_last_room(scheduler, twin, meanwhile, db, known, ask, uuids):
    """If the other copy took the last room for these same instances, this one answers with its claims."""
    known("host-1")
    asked = uuids(2)
    meanwhile(lambda _: ask(twin, asked))
    assert ask(scheduler, asked) == claimed(db, asked) == ["host-1", "host-1"]
    assert used(db) == {"host-1": 2048}


def test_the_twin_knows_a_newer_host(scheduler, twin, meanwhile, db, known, ask, uuids):
    """A copy that does not know the host of the other's claim yet reads the hosts again."""
    known("host-1")
    asked = uuids(1)

    def place_on_a_new_host(_):
        known("host-2", memory_mb=8192)
        ask(twin, asked)

    meanwhile(place_on_a_new_host)
    assert ask(scheduler, asked) == claimed(db, asked) == ["host-2"]
    assert used(db) == {"host-1": 0, "host-2": 1024}


def test_the_twin_found_a_host_after_all(scheduler, twin, meanwhile, db, known, ask, uuids):
    """A copy without a valid host looks for claims that the other copy has made since."""
    asked = uuids(1)

    def place_on_a_new_host(_):
        known("host-1")
        ask(twin, asked)

    meanwhile(place_on_a_new_host)
    assert ask(scheduler, asked) == claimed(db, asked) == ["host-1"]


def test_the_twin_sees_no_claim_that_is_given_up(scheduler, twin, meanwhile, db, known, a_spec, ask, uuids):
    """A copy that cannot place all instances keeps no claim, so another copy's claim on the same host stays."""
    known("host-1")
    one, other = uuids(2)
    answers = []

    def take_room_and_be_overtaken(_):
        take(db, "host-1", a_spec())
        meanwhile(lambda _: answers.append(ask(twin, [one])))

    meanwhile(take_room_and_be_overtaken)
    with pytest.raises(errors.NoValidHost):
        ask(scheduler, [one, other])
    assert answers == [["host-1"]]
    assert claimed(db, [one, other]) == ["host-1", None]
    assert used(db) == {"host-1": 2048}


def test_deleted_meanwhile(scheduler, meanwhile, db, known, ask, uuids):
    """An instance that was deleted while its host was chosen gets no claim."""
    known("host-1")
    asked = uuids(1)

    def delete(_):
        with db.write() as tx:
            instances.destroy(tx, *asked)

    meanwhile(delete)
    ask(scheduler, asked)
    assert claimed(db, asked) == [None]
    assert used(db) == {"host-1": 0}


def test_a_freed_claim_is_no_answer(scheduler, db, known, a_spec, ctxt, uuids):
    """The claim of a failed attempt is gone: the instance is placed anew, and not on the host that failed."""
    known("host-1", memory_mb=8192)
    known("host-2")
    (uuid,) = uuids(1)
    scheduler.select_destinations(ctxt, a_spec(), [uuid])
    with db.write() as tx:
        claims.free(tx, uuid, "host-1")
    ((selection, *_),) = scheduler.select_destinations(ctxt, a_spec(tried=("host-1",)), [uuid])
    assert selection.host == "host-2"
    assert used(db) == {"host-1": 0, "host-2": 1024}


def test_claimed_on_a_host_that_is_gone(scheduler, db, known, ask, uuids):
    """If the claim is on a host that was deleted since, there is no valid host, and the reason names it."""
    known("host-1")
    asked = uuids(1)
    ask(scheduler, asked)
    with db.write() as tx:
        hosts.delete(tx, "host-1")
    known("host-2")
    with pytest.raises(errors.NoValidHost, match="host-1, which is no compute host any more"):
        ask(scheduler, asked)


def test_reason(scheduler, known, a_spec, ctxt, uuids):
    """The reason has the filter that passed no host, and how many hosts each filter passed."""
    for number in range(3):
        known(f"host-{number}", memory_mb=512)
    expected = (
        "No valid host was found. There are not enough hosts available: RamFilter left none of 3 hosts "
        "(ComputeFilter 3, RamFilter 0)."
    )
    with pytest.raises(errors.NoValidHost) as caught:
        scheduler.select_destinations(ctxt, a_spec(), uuids(1))
    assert str(caught.value) == expected


def test_no_hosts(scheduler, a_spec, ctxt, uuids):
    """A cloud without compute hosts says so."""
    with pytest.raises(errors.NoValidHost, match="There are no compute hosts"):
        scheduler.select_destinations(ctxt, a_spec(), uuids(1))


@pytest.mark.parametrize(("silence", "trouble"), [(61, {}), (0, {"disabled": True}), (0, {"forced_down": True})])
def test_hosts_that_take_no_work(scheduler, db, known, a_spec, ctxt, silence, trouble, uuids):
    """A host that is down, disabled or forced down is not chosen."""
    known("host-1", silence=silence)
    known("host-2")
    with db.write() as tx:
        (service,) = services.search(tx, host="host-1")
        if trouble:
            services.update(tx, service.uuid, **trouble)
    (selections,) = scheduler.select_destinations(ctxt, a_spec(), uuids(1))
    assert [selection.host for selection in selections] == ["host-2"]


def test_notifications(scheduler, listener, known, a_spec, ctxt, uuids):
    """Listeners get the request, and the chosen hosts."""
    known("host-1")
    (uuid,) = uuids(1)
    scheduler.select_destinations(ctxt, a_spec(), [uuid])
    (start, asked), (end, answered) = listener.heard
    assert (start, end) == ("scheduler.select_destinations.start", "scheduler.select_destinations.end")
    assert (asked["instance_uuids"], asked["request_spec"]["flavor"]["name"]) == ([uuid], "m1")
    assert answered["selected_hosts"] == ["host-1"]


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("hosts", [1, 3])
def test_few_transactions(scheduler, db, known, ask, uuids, hosts, count):
    """One query reads the hosts; one statement claims for each instance, and one on each host that was chosen."""
    for number in range(hosts):
        known(f"host-{number}", memory_mb=2**20)
    asked, transactions, statements = uuids(count), [], []
    event.listen(db.engine, "checkout", lambda *_: transactions.append(1))
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    ask(scheduler, asked)
    queries = [statement for statement in statements if "SAVEPOINT" not in statement]  # which PostgreSQL has beside
    assert (len(transactions), len(queries)) == (2, 1 + count + min(hosts, count))


def test_only_what_has_changed_is_read(scheduler, known, ask, uuids, monkeypatch):
    """The first request reads all hosts, the next ones what has changed since, and the newest that they know again."""
    read, seen_since = [], hosts.seen_since
    monkeypatch.setattr(hosts, "seen_since", lambda *asked: read.append(seen_since(*asked)) or read[-1])
    for number in range(5):
        known(f"host-{number}")
    (first,), (second,), *_ = (ask(scheduler, uuids(1)) for _ in range(3))
    names = [{each.node.host for each in seen} for seen, _ in read]
    assert names == [{f"host-{number}" for number in range(5)}, {"host-4", first}, {first, second}]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("enabled_filters", "Nonesuch is no filter; there are AggregateImagePropertiesIsolation, "),
        ("enabled_weighers", "Nonesuch is no weigher; there are BuildFailureWeigher, CPUWeigher, "),
    ],
)
def test_unknown_names(a_scheduler, option, said):
    """An unknown filter or weigher keeps the scheduler from starting; the error lists the known ones."""
    with pytest.raises(errors.ConfigError, match=rf"\[filter_scheduler\] {option}: {said}"):
        a_scheduler(**{f"filter_scheduler.{option}": ["Nonesuch"]})


def test_instances_at_work(a_scheduler, db, known, a_spec, ctxt, uuids):
    """Where a filter asks, the instances that are being built on a host are counted; else nobody reads them."""
    for host in ("host-1", "host-2"):
        known(host, memory_mb=8192)
    limits = {"filter_scheduler.enabled_filters": "IoOpsFilter", "filter_scheduler.max_io_ops_per_host": 1}
    scheduler, (one, other) = a_scheduler(**limits), uuids(2)
    ((first, *_),) = scheduler.select_destinations(ctxt, a_spec(), [one])
    with db.write() as tx:
        started = instances.update(tx, one, {"host": first.host}, generation=UNCOMPARED, expected_task_state=UNCOMPARED)
        actions.start(tx, ctxt, [started], "build", due_after=60)
    ((second, *_),) = scheduler.select_destinations(ctxt, a_spec(), [other])
    assert {first.host, second.host} == {"host-1", "host-2"}
