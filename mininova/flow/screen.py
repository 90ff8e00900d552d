"""Lines on a screen: in colour on a terminal, plain when piped, and never cut or wrapped."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from mininova.flow import changes, drawing, trace
from mininova.flow.diagram import troubles
from mininova.flow.life import Step
from mininova.flow.message import Line
from mininova.flow.output import aligned, as_json, printable, titled
from mininova.flow.summary import Summary

KIND_STYLES = {
    "http": "bold",
    "call": "cyan",
    "reply": "cyan dim",
    "cast": "yellow",
    "fanout": "yellow",
    "notification": "magenta dim",
    "lost": "bold red",
    "resent": "bold yellow",
    "redelivered": "bold yellow",
    "retried": "bold yellow",
    "rejected": "bold red",
    "denied": "bold red",
    "failed": "bold red",
    "parked": "bold white on red",
}

HEADINGS = ("ms", "from", "  to", "kind", "message", "took", "state, answer, error")


def show(console: Console, summary: Summary, made: Sequence[Line], *, payload: bool = False) -> None:
    """Print one request: a heading, and a line for each of its messages.

    :param payload: with the arguments under each line
    """
    console.print(_heading(summary), soft_wrap=True)
    console.print()
    head, *rows = titled(HEADINGS, trace.columns(made), trace.NUMBERS)
    console.print(Text("  ".join(head).rstrip(), style="dim"), soft_wrap=True)
    for line, row in zip(made, rows, strict=True):
        console.print(row_text(line, row), soft_wrap=True)
        if payload and line.payload:
            console.print(Text(_indented(line.payload), style="dim"), soft_wrap=True)


def diagram(console: Console, summary: Summary, made: Sequence[Line]) -> None:
    """Print one request as a sequence diagram: a heading with what went wrong, lanes and arrows."""
    text = _heading(summary)
    if wrong := troubles(made):
        text.append(f"  {', '.join(wrong)}", style="bold red")
    console.print(text, soft_wrap=True)
    console.print()
    for row in drawing.rows(console, made, console.width if console.is_terminal else drawing.PAGE):
        console.print(row, soft_wrap=True)


def row_text(line: Line, row: Sequence[str]) -> Text:
    """Colour the cells of one line."""
    kind = KIND_STYLES.get(line.kind, "")
    styles = ["dim", "", "", kind, "bold" if line.kind == "http" else "", "dim", "red" if line.wrong else "green"]
    text = Text("  ").join(Text(printable(cell), style=style) for cell, style in zip(row, styles, strict=True))
    text.rstrip()
    return text


def _heading(summary: Summary) -> Text:
    text = Text(printable(summary.request_id), style="bold")
    words = [trace.shortened(summary.what), *([str(summary.status)] if summary.status else []), _servers(summary)]
    text.append(printable("  " + "  ".join(word for word in words if word)))
    text.append(f"  {summary.messages} messages in {_lasted(summary)}, {_moment(summary.began)}", style="dim")
    if not summary.announced:
        text.append(printable(f"  no api announced it: told by {summary.by}"), style="yellow")
    return text


def life(console: Console, uuid: str, name: str, told: Sequence[Step]) -> None:
    """Print an instance's life: a line for each request that caused something, and its steps below."""
    text = Text(printable(name or uuid), style="bold")
    last = told[-1] if told else Step(at=0.0)
    where = f" on {last.host}" if last.host and last.vm_state != "deleted" else ""
    text.append(printable(f"  {uuid}  {last.task_state or last.vm_state or 'of no known state'}{where}"))
    console.print(text, soft_wrap=True)
    cells = aligned([_step_cells(step) for step in told])
    for before, step, row in zip([None, *told], told, cells, strict=False):
        if before is None or before.request_id != step.request_id:
            console.print()
            console.print(_cause(step), soft_wrap=True)
        styles = ("dim", "magenta", "bold", "bold cyan", "green", "red" if step.error else "dim")
        line = Text("  ").join(Text(cell, style) for cell, style in zip(row, styles, strict=True))
        line.rstrip()
        console.print(line, soft_wrap=True)


def _cause(step: Step) -> Text:
    text = Text(printable(f"{trace.shortened(step.what) or 'a request of which nothing more is kept'}  "), "bold")
    return text.append(printable(step.request_id), "dim")


def _step_cells(step: Step) -> list[str]:
    event = "" if step.change else step.event.removeprefix("compute.instance.")
    said = "  ".join(filter(None, (event, step.error)))
    states = (step.vm_state or "", step.task_state or "")
    return [
        _moment(step.at, "%H:%M:%S.%f")[:-3],
        "◆" if step.change else "◇",
        *states,
        step.host,
        trace.shortened(said),
    ]


def listed(console: Console, found: Sequence[Summary], *, senders: bool = False) -> None:
    """Print requests, one a line.

    :param senders: say who tells of a request that no api announced
    """
    rows = [
        [
            _moment(one.began),
            one.request_id,
            trace.shortened(f"{one.what} {one.status or ''}".strip()),
            _servers(one),
            str(one.messages),
            _lasted(one),
            *(["" if one.announced else one.by] if senders else []),
        ]
        for one in found
    ]
    headings = (
        "when",
        "request",
        "what",
        "server",
        "messages",
        "took",
        *(["  unannounced, told by"] if senders else []),
    )
    head, *rows = titled(headings, rows, right=(4, 5))
    console.print(Text("  ".join(head).rstrip(), style="dim"), soft_wrap=True)
    for one, row in zip(found, rows, strict=True):
        style = "red" if one.errors or (one.status or 0) >= 400 else ""
        console.print(Text("  ".join(row).rstrip(), style=style), soft_wrap=True)


def as_data(summary: Summary, made: Sequence[Line]) -> dict[str, Any]:
    """Give a request and its messages as plain data, for ``show -f json``."""
    start = made[0].at if made else 0.0
    return {**summary_data(summary), "messages": [line_data(line, start) for line in made]}


def summary_data(summary: Summary) -> dict[str, Any]:
    """Give a request as plain data, for ``list -f json``."""
    return {
        "request_id": summary.request_id,
        "began": summary.began,
        "took_ms": round((summary.last - summary.began) * 1000, 3),
        "what": summary.what,
        "status": summary.status,
        "announced": summary.announced,
        "told_by": summary.by.split(", "),
        "servers": summary.servers,
        "message_count": summary.messages,
        "errors": summary.errors,
    }


def life_data(uuid: str, name: str, told: Sequence[Step], requests: Sequence[Summary]) -> dict[str, Any]:
    """Give an instance's life as plain data, for ``life -f json``.

    :param told: its steps
    :param requests: those that touched it
    """
    summaries = [summary_data(one) for one in requests]
    return {"uuid": uuid, "name": name, "steps": [asdict(step) for step in told], "requests": summaries}


def line_data(line: Line, start: float) -> dict[str, Any]:
    """Give a message as plain data.

    :param start: when its request began, in seconds since the epoch
    """
    before, after = changes.step(line.change) or (None, None)
    return {
        "ms": round((line.at - start) * 1000, 3),
        "at": line.at,
        "from": line.source,
        "to": line.target,
        "kind": line.kind,
        "interface": line.interface,
        "method": line.method,
        "version": line.version,
        "message_id": line.message_id,
        "change": line.change,
        "before": before,
        "after": after,
        "took_ms": None if line.took is None else round(line.took * 1000, 3),
        "size": line.size,
        "error": line.error,
        "wrong": line.wrong,
        "server": line.server,
        "payload": line.payload,
    }


def _servers(summary: Summary) -> str:
    names = [name or uuid for uuid, name in summary.servers.items()]
    return f"{', '.join(names[:3])} and {len(names) - 3} more" if len(names) > 4 else ", ".join(names)


def _lasted(summary: Summary) -> str:
    return f"{(summary.last - summary.began) * 1000:.1f} ms"


def _moment(at: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime(form)


def _indented(payload: Any) -> str:
    return "\n".join(f"          {line}" for line in as_json(payload).splitlines())
