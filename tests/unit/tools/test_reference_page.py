"""The reference page of the interfaces has each of them, as declared."""

from typing import Annotated, Any

import pytest
import reference_page
from documentation import ROOT, anchors

from mininova import rpc


class LampAPI(rpc.Interface):
    """Switch lamps."""

    topic, version = "lamp", "1.2"

    @rpc.call(since="1.1", by={"user", "admin"}, idempotent=True)
    def find(
        self,
        ctxt: Any,
        watts: int | None = None,
        kind: Annotated[str, rpc.since("1.2")] = "LED",
        why: Annotated[str, rpc.since("1.2", dispensable=True)] = "",
    ) -> list[str]:
        """Look for ``lamps``
        of a kind.

        :param watts: None means any
        :raises LookupError: when there is none,
            here or elsewhere
        """

    @rpc.fanout(since="1.0")
    def dim(self, ctxt: Any) -> None:
        """Dim every lamp."""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the page about the lamps."""
    monkeypatch.setattr(reference_page, "INTERFACES", (LampAPI,))
    return reference_page.page()


def test_an_interface_is_in_the_overview(page: str):
    """A row has its topic, its namespace, its version and its docstring."""
    assert "| [`LampAPI`](#lampapi) | `lamp` | none | 1.2 | Switch lamps. |" in page


def test_a_method_is_shown_as_it_is_declared(page: str):
    """Each argument has its type, its default, and the version that brought it if that is newer than the method's."""
    shown = page.partition("```python\nfind(\n")[2].partition("```")[0].splitlines()
    assert shown == [
        "    watts: int | None = None,",
        '    kind: str = "LED",  # since 1.2',
        '    why: str = "",  # since 1.2, left out for older receivers',
        ") -> list[str]",
    ]
    assert "```python\ndim()\n```" in page


def test_a_method_says_what_it_is(page: str):
    """First come its kind, the version that brought it unless that is the first, and its callers."""
    assert "*Idempotent call, since 1.1, by admin or user.* Look for `lamps` of a kind.\n" in page
    assert "*Fanout, by any sender.* Dim every lamp.\n" in page


def test_arguments_and_errors_are_listed(page: str):
    """The docstring's arguments and errors become a list."""
    assert "* `watts`: None means any\n* raises `LookupError` when there is none, here or elsewhere\n" in page


def test_every_method_of_ours_has_a_heading():
    """The page in the repository has each interface and each of its methods."""
    headings = anchors(ROOT / "docs/rpc/reference.md")
    for interface in reference_page.INTERFACES:
        name = interface.__name__.lower()
        assert {name, *(f"{name}{method}" for method in interface.methods)} <= headings
