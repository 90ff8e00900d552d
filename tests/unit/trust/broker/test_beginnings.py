"""Rights as names and beginnings of names, for a broker that knows no expressions."""

import re

import pytest

from mininova.trust import identities
from mininova.trust.broker.beginnings import beginnings
from mininova.trust.broker.name_pattern import any_of
from mininova.trust.broker.rights import NOTHING, rights


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        (r"^(conductor|scheduler)$", {"conductor", "scheduler"}),
        (r"^(conductor(\..+)?)$", {"conductor", "conductor.*"}),
        (r"^(compute\.host-[12](\.dead)?)$", {f"compute.host-{n}{end}" for n in (1, 2) for end in ("", ".dead")}),
        (r"^(compute\.host-1\.pause\.[0-9]+(\.[0-9]+)?)$", {"compute.host-1.pause.*"}),
        (r"^(reply_x_[0-9a-f]{32}|y)$", {"reply_x_*", "y"}),
        (r"^(reply_(?!(api|compute)\.).+)$", {"reply_*"}),
        (r"^((conductor|compute)(\..+)?\.dead)$", {"conductor.*", "conductor.dead", "compute.*", "compute.dead"}),
        (r".*", {"*"}),
        (NOTHING, set()),
        (rf"^(compute\.({NOTHING}))$", set()),
    ],
)
def test_an_expression_is_followed_as_far_as_it_names_characters(expression, names):
    """From there on any name is allowed that begins so; an expression for nothing allows nothing."""
    assert beginnings(expression) == names


def test_each_of_many_names_is_named():
    """The expression for the hosts of a rack allows exactly these."""
    hosts = {f"rack-{number}" for number in range(1, 120)}
    assert beginnings(any_of(hosts)) == hosts


@pytest.mark.parametrize(
    "identity",
    [*map(identities.trusted, sorted(identities.KINDS)), identities.compute("host-1")],
    ids=lambda it: it.name,
)
def test_no_right_is_lost(identity):
    """Each name that stands in a right without an end is allowed by the expression itself."""
    allowed = rights(identity)
    for expression in (allowed.configure, allowed.write, allowed.read):
        exact = [name for name in beginnings(expression) if not name.endswith("*")]
        assert exact
        assert [name for name in exact if not re.search(expression, name)] == []
