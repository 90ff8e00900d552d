"""docs/scheduling.md: the filters and the weighers that there are, printed from their docstrings and settings."""

import re
from inspect import cleandoc
from typing import TypeVar

from mininova import conf, plugins
from mininova.scheduler.filters import BaseHostFilter
from mininova.scheduler.weights import BaseHostWeigher

HEAD = """<!-- Printed by tools/update from mininova/scheduler/filters and mininova/scheduler/weights. -->
# Filters and weighers

A scheduler asks the filters of `[filter_scheduler] enabled_filters`, in that order, which hosts may take an instance,
and the weighers of `enabled_weighers` which of these is best. Their names are Nova's. A filter that has nothing to look
at in a request, such as a hint or an image's properties, is not asked. [Plug-ins](plug-ins.md) shows how to add one;
what Nova calls `available_filters` are the entry points. Settings are explained in `mininova.conf`.
"""
T = TypeVar("T")

FILTERS = "| filter | enabled | what it does |\n| --- | --- | --- |"
WEIGHERS = "| weigher | enabled | multiplier | what it does |\n| --- | --- | --- | --- |"


def page() -> str:
    """Print the page."""
    options = conf.for_tests("scheduler").filter_scheduler
    filters = [
        f"| `{name}` | {_enabled(name, options.enabled_filters)} | {_said(each)} |"
        for name, each in _classes("filter", BaseHostFilter)
    ]
    weighers = [
        f"| `{name}` | {_enabled(name, options.enabled_weighers)} | `{each.option}`, {options[each.option]:g} "
        f"| {_said(each)} |"
        for name, each in _classes("weigher", BaseHostWeigher)
        if each.option
    ]
    tables = ("## Filters", "\n".join([FILTERS, *filters]), "## Weighers", "\n".join([WEIGHERS, *weighers]))
    return "\n".join([HEAD, "\n\n".join(tables), ""])


def _classes(kind: str, contract: type[T]) -> list[tuple[str, type[T]]]:
    """Give our own plug-ins of a kind, by name."""
    ours = (point for point in plugins.entry_points(group=plugins.KINDS[kind]) if point.value.startswith("mininova."))
    names = sorted({point.name for point in ours})
    return list(zip(names, plugins.load(kind, names, contract, "docs"), strict=True))


def _enabled(name: str, names: list[str]) -> str:
    return "by default" if name in names else ""


def _said(each: type) -> str:
    """Write a docstring as a cell of a table."""
    return (
        re.sub(r"\s+", " ", cleandoc(each.__doc__ or "").partition("\n\n:")[0]).replace("``", "`").replace("|", "\\|")
    )
