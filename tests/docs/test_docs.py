"""The documentation agrees with the code: its links, the names it gives, the messages and rules it shows."""

import configparser
import json
import re
from pathlib import Path

import documentation
import pytest
import tutorial
from documentation import PAGES, ROOT

from mininova import plugins
from mininova.conf import groups
from mininova.rpc import envelope

# What looks like a module of ours and is something else.
NOT_MODULES = {
    "mininova.reply": "an exchange",
    "rabbitmq.conf": "a file of RabbitMQ's",
    "mininova.nowhere": "a key that leads to no queue",
    **dict.fromkeys(plugins.KINDS.values(), "a group of entry points"),
}
PATHS = ("mininova/", "tools/", "tests/", "etc/", "docs/", "benchmarks/", "examples/")
CLASS = re.compile(r"[A-Z][a-z]+([A-Z][a-z]*)+|[A-Z]{2,}[a-z]\w+")
TOPICS = ("compute", "conductor", "scheduler", "notifications")  # a name that begins with one is a queue or an event
NOT_OURS = {"ConfigOpts", "ComputeTaskManager", "RabbitMQ", "SQLAlchemy"}

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pages
def test_links_resolve(page: Path):
    """Every relative link leads to a file, and to a heading of it if it names one."""
    relative = [link.partition("#") for link in documentation.links(page) if "://" not in link]
    targets = [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in relative]
    assert [target for target, _ in targets if not target.exists()] == []
    assert [f"{to}#{anchor}" for to, anchor in targets if anchor and anchor not in documentation.anchors(to)] == []


@pages
def test_paths_exist(page: Path):
    """Every path of this repository that is named is there, and every file that is named without its path."""
    words = [span.split(" ")[0].partition("::")[0] for span in documentation.spans(page)]
    paths = [word for word in words if word.startswith(PATHS) and not re.search(r"[…*<]|^etc/nova", word)]
    files = [word for word in words if re.fullmatch(r"\w+\.py", word)]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    there = {path.name for folder in ("mininova", "examples") for path in ROOT.glob(f"{folder}/**/*.py")}
    there |= {step.where for step in tutorial.steps(page) if step.what == "write"}
    assert [file for file in files if file not in there] == []


@pages
def test_names_exist(page: Path):
    """Every module, class, function and attribute of mininova that is named is there."""
    names = {span.partition("(")[0] for span in documentation.spans(page)} - NOT_MODULES.keys() - NOT_OURS
    assert [name for name in sorted(names) if re.fullmatch(r"\w+(\.\w+)*", name) and not _is_right(name)] == []


def _is_right(name: str) -> bool:
    if name.startswith("mininova."):
        return documentation.exists(name)
    if "." in name and not name.startswith(TOPICS) and not name.endswith((".py", ".sh", ".md", ".ini", ".yaml")):
        return documentation.known_by_short_name(name) is not False
    return not CLASS.fullmatch(name) or documentation.known_by_short_name(name) is not None


@pages
def test_settings_exist(page: Path):
    """Every section and option of the configuration that is named is one."""
    named = [found.groups() for span in documentation.spans(page) if (found := re.match(r"\[(\w+)\](?: (\w+))?", span))]
    known = groups.known()
    assert [section for section, _ in named if section not in known] == []
    assert [
        f"[{section}] {option}" for section, option in named if option and option not in known[section].by_name
    ] == []


def test_the_boot_is_shown_in_at_most_twelve_files():
    """Each path of the README's two maps exists, none is named twice, and the boot is short."""
    boot, beneath = documentation.boot_map(), documentation.beneath_map()
    assert [path for path in [*boot, *beneath] if not (ROOT / path).exists()] == []
    assert len({*boot, *beneath}) == len([*boot, *beneath])
    assert 10 <= len(boot) <= 12


def test_map_follows_a_boot_through_the_services():
    """The map goes from the api to the conductor, the scheduler, the compute node and the fake hypervisor."""
    services = [file.split("/")[1] for file in documentation.boot_map() if file.startswith("mininova/")]
    first = {service: services.index(service) for service in ("api", "conductor", "scheduler", "compute", "virt")}
    assert sorted(first, key=first.__getitem__) == list(first)


def test_import_rules_are_those_of_import_linter():
    """docs/architecture.md lists the contracts of .importlinter, all of them, in its order."""
    linter = configparser.ConfigParser()
    linter.read(ROOT / ".importlinter")
    names = [linter[section]["name"] for section in linter.sections() if ":contract:" in section]
    table = (ROOT / "docs/architecture.md").read_text().partition("| the rule | why |\n")[2]
    listed = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)[1:]
    assert listed == names


def test_messages_in_wire_are_messages():
    """The library can read the request and the reply that docs/rpc/wire.md shows."""
    samples = [text for _, text in documentation.blocks(ROOT / "docs/rpc/wire.md", "json") if "…}" not in text]
    request, reply = map(json.loads, samples)
    assert envelope.read_request(request).method == "get_console_output"
    read = envelope.read_reply(reply)
    assert read is not None
    assert read.failure is not None
    assert read.failure["class"] == "GuestNotFound"


def test_promises_are_tested():
    """Each footnote of docs/rpc/promises.md is used, and names an existing test."""
    page = (ROOT / "docs/rpc/promises.md").read_text()
    text, _, notes = page.partition("\n[^")
    notes = dict(re.findall(r"^\[\^([\w-]+)\]: `(.+)`$", f"[^{notes}", re.MULTILINE))
    assert len(notes) > 30
    assert sorted(notes) == sorted(set(re.findall(r"\[\^([\w-]+)\]", text)))
    for test in notes.values():
        path, _, name = test.partition("::")
        assert f"\ndef {name}(" in (ROOT / path).read_text(), test


def test_decisions_are_listed():
    """docs/adr/README.md lists every decision by its title."""
    listed = (ROOT / "docs/adr/README.md").read_text()
    for page in sorted((ROOT / "docs/adr").glob("0*.md")):
        title = page.read_text().splitlines()[0].removeprefix("# ").partition(": ")[2]
        assert f"| [{page.name[:4]}]({page.name}) | {title} |" in listed, page.name


def test_commands_are_collected():
    """Commands in console blocks are found with what they print, one line or several."""
    made = list(documentation.commands(ROOT / "README.md"))
    assert made
    assert all(command.text and not command.text.startswith("$") for command in made)


def test_output_is_compared_by_shape():
    """Ids, numbers, widths and the number of hosts may differ from a page's output; words may not."""
    shown = ["| 10.0.0.2 | ACTIVE   |", "…", "done in 31 ms: host-1, host-2"]
    assert documentation.missing(shown, "done in 8 ms: host-3\n| 10.0.17.40  | ACTIVE |\n") == []
    assert documentation.missing(shown, "| 10.0.0.2 | ERROR |\ndone in 8 ms: host-1\n") == [shown[0]]
