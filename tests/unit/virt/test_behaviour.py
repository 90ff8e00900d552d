"""The behaviour file: the first match wins, a bad file is refused with a sentence, a changed one is read again."""

import os
import re
from pathlib import Path
from random import Random

import pytest

from mininova import errors
from mininova.virt.behaviour import Behaviour, Constant, Exponential, Normal, Outcome, Target, Uniform

REPOSITORY = Path(__file__).parents[3]


def draw_many(path, host="host-1", operation="spawn", count=200):
    behaviour = Behaviour(path)
    return [behaviour.draw(host, operation) for _ in range(count)]


def touch(path, seconds):
    """Make a file look changed, also to a file system with a coarse clock."""
    os.utime(path, (seconds, seconds))


def test_no_file():
    """Without a file every operation works, at once."""
    assert Behaviour(None).draw("host-1", "spawn") == Outcome(0.0, None)


def test_default_file():
    """The file that we ship changes nothing."""
    path = str(REPOSITORY / "mininova/virt/fake-behaviour.yaml")
    assert Behaviour(path).draw("host-1", "spawn") == Outcome(0.0, None)


def test_examples_of_default_file(behaviour_file):
    """The examples in the comments of that file can be used."""
    text = (REPOSITORY / "mininova/virt/fake-behaviour.yaml").read_text()
    examples = text[text.index("# - hosts:") : text.index("# To have the same")]
    behaviour = Behaviour(behaviour_file(re.sub("^# ?", "", examples, flags=re.MULTILINE)))
    assert behaviour.draw("host-2", "spawn").failure.message == "no space left on device"
    assert behaviour.draw("host-1", "power_on").delay == 1.2


def test_first_match_wins(behaviour_file):
    """Of two matching rules, the first counts."""
    path = behaviour_file("rules: [{hosts: 'host-*', delay: 100}, {delay: 900}]")
    behaviour = Behaviour(path)
    assert behaviour.draw("host-1", "spawn").delay == 0.1
    assert behaviour.draw("other", "spawn").delay == 0.9


def test_just_a_list(behaviour_file):
    """A file may be just the list of rules."""
    assert Behaviour(behaviour_file("- {operation: spawn, delay: 100}")).draw("host-1", "spawn").delay == 0.1


def test_operations(behaviour_file):
    """A rule that names operations leaves the others alone."""
    behaviour = Behaviour(behaviour_file("rules: [{operation: reboot, delay: 100}]"))
    assert behaviour.draw("host-1", "reboot").delay == 0.1
    assert behaviour.draw("host-1", "spawn").delay == 0.0


def test_a_delay_may_grow_with_memory(behaviour_file):
    """Of a guest; so much for each GiB of it, beside the rest of the delay."""
    behaviour = Behaviour(behaviour_file("[{operation: live_migration, delay: 100, delay_per_gib: 400}]"))
    sizes = (Target(memory_mb=mb) for mb in (0, 512, 4096))
    assert [behaviour.draw("host-1", "live_migration", size).delay for size in sizes] == [0.1, 0.3, 1.7]


def test_a_rule_for_some_instances(behaviour_file):
    """It goes by the name of the instance, and by each key of its metadata that the rule names."""
    behaviour = Behaviour(behaviour_file("[{instances: 'web-*', metadata: {role: 'd*', tier: '*'}, delay: 100}]"))

    def delay(name, **metadata):
        return behaviour.draw("host-1", "spawn", Target(name, metadata)).delay

    assert delay("web-1", role="db", tier="", other="x") == 0.1
    assert delay("db-1", role="db", tier="1") == 0.0
    assert delay("web-1", role="web", tier="1") == 0.0
    assert delay("web-1", role="db") == 0.0


def test_a_failure_at_the_nth_time(behaviour_file):
    """The times are counted for each rule, on all hosts together, and anew when the file was read again."""
    path = behaviour_file("[{operation: spawn, failure: {nth: 2}}, {failure: {nth: 1}}]")
    behaviour = Behaviour(path)

    def fails(operation="spawn", host="host-1"):
        return behaviour.draw(host, operation).failure is not None

    assert [fails(), fails(host="host-2"), fails()] == [False, True, False]
    assert [fails("reboot"), fails("reboot")] == [True, False]
    touch(path, 1)
    assert [fails("reboot"), fails(), fails()] == [True, False, True]


@pytest.mark.parametrize(
    ("delay", "low", "high"),
    [
        ("{distribution: constant, milliseconds: 250}", 0.25, 0.25),
        ("{distribution: uniform, low: 100, high: 400}", 0.1, 0.4),
        ("{distribution: normal, mean: 10, deviation: 50}", 0.0, 1.0),
        ("{distribution: exponential, mean: 50}", 0.0, 5.0),
    ],
)
def test_distributions(behaviour_file, delay, low, high):
    """Every distribution stays within its bounds, and no delay is negative."""
    outcomes = draw_many(behaviour_file(f"{{seed: 1, rules: [{{delay: {delay}}}]}}"))
    assert all(low <= outcome.delay <= high for outcome in outcomes)


def test_distributions_differ():
    """Only the constant distribution gives the same each time."""
    dice = Random(1)
    assert len({Constant(5)(dice) for _ in range(9)}) == 1
    assert all(len({each(dice) for _ in range(9)}) == 9 for each in (Uniform(1, 9), Normal(900, 9), Exponential(9)))


def test_failure_probability(behaviour_file):
    """Operations fail about as often as the file says."""
    outcomes = draw_many(
        behaviour_file("{seed: 1, rules: [{failure: {probability: 0.25, message: bad luck}}]}"), count=1000
    )
    assert 200 < sum(outcome.failure is not None for outcome in outcomes) < 300


def test_seed(behaviour_file):
    """With a seed each start gives the same draws, and each host draws its own."""
    path = behaviour_file("{seed: 7, rules: [{delay: {distribution: uniform, low: 0, high: 1000}}]}")
    assert draw_many(path) == draw_many(path)
    assert draw_many(path) != draw_many(path, host="host-2")


def test_changed_file_is_read_again(behaviour_file):
    """A change of the file counts from the next operation on."""
    path = behaviour_file("rules: []")
    behaviour = Behaviour(path)
    behaviour_file("rules: [{delay: 100}]")
    touch(path, 5)
    assert behaviour.draw("host-1", "spawn").delay == 0.1


@pytest.mark.parametrize("change", [lambda path: Path(path).write_text("rules: {"), lambda path: os.unlink(path)])
def test_file_turns_bad(behaviour_file, caplog, change):
    """A file that becomes bad is logged once, and the last good one counts until it is good again."""
    path = behaviour_file("rules: [{delay: 100}]")
    behaviour = Behaviour(path)
    change(path)
    assert [behaviour.draw("host-1", "spawn").delay for _ in range(3)] == [0.1] * 3
    assert len(caplog.records) == 1
    behaviour_file("rules: [{delay: 300}]")
    assert behaviour.draw("host-1", "spawn").delay == 0.3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: {", r"behaviour.yaml, line 1: this is no YAML"),
        ("rules:\n- delay: {distribution: normal, mean: x, deviation: 1}", r"line 2: rules\[0\].delay.mean: .*float"),
        ("rules:\n- {}\n- {hots: a}", r"line 3: rules\[1\]: .*`hots`"),
        ("rules:\n- failure:\n    probability: 2", r"line 3: rules\[0\].failure.probability: .*<= 1"),
        ("rules:\n- operation: spwan", r"line 2: rules\[0\]: .*'spwan'; there are spawn, "),
        ("- {}\n- delay: -1", r"line 2: \[1\].delay: .*>= 0"),
        ("7", r"line 1: the file: Expected `object`"),
        ("rules: \x00", r"this is no YAML"),
    ],
)
def test_bad_file(behaviour_file, text, said):
    """The error for a bad file at start has the line and the field."""
    with pytest.raises(errors.ConfigError, match=said):
        Behaviour(behaviour_file(text))


def test_missing_file(tmp_path):
    """The error for a missing file has its name."""
    with pytest.raises(errors.ConfigError, match=r"nowhere\.yaml"):
        Behaviour(str(tmp_path / "nowhere.yaml"))
