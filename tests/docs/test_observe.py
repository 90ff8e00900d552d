"""docs/observe.md lists every metric."""

import re

from documentation import ROOT
from prometheus_client import CollectorRegistry

from mininova.rpc.watch.metrics import BUCKETS, Metrics

PAGE = (ROOT / "docs/observe.md").read_text()
SHARED = {"interface", "method"}


def test_every_metric_is_in_the_table():
    """Each metric is listed with its kind and its labels, without the two that all metrics have."""
    table = PAGE.partition("<!-- the metrics -->\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in table.splitlines()[2:]]
    listed = {name.strip("`"): (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}

    assert listed == dict(described())


def described():
    """Give each metric by the name it is shown with, its kind, and its own labels."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    collectors = [*metrics._counted.values(), metrics._sent, metrics._calls, metrics._handlers]
    for collector in (*collectors, metrics._waited, metrics._worked):
        (family,) = collector.describe()
        ending = "_total" if family.type == "counter" else ""
        yield f"{family.name}{ending}", (family.type, set(collector._labelnames) - SHARED)


def test_the_buckets_reach_as_far_as_the_page_says():
    """The page says from a millisecond to a minute."""
    assert (BUCKETS[0], BUCKETS[-1]) == (0.001, 60.0)
    assert "from 1 ms to 60 s" in PAGE
