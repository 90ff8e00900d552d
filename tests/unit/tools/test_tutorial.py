"""What the reader of a tutorial does is read from its page."""

from pathlib import Path

import pytest
import tutorial
from documentation import ROOT

PAGE = """\
```python
# lamp.py
print("on")
```

```python
an_example_of_something()
```

```diff
--- lamp.py
-print("on")
+print("off")
```

```console
lamp$ python lamp.py
[lamp] off
$ ls
lamp.py
[lamp] and off …
lamp$ ^C
```
"""


@pytest.fixture
def page() -> Path:
    """Give a page that is written nowhere."""

    class Unwritten(type(ROOT)):  # type: ignore[misc]
        def read_text(self) -> str:
            return PAGE

    return Unwritten(ROOT / "page.md")


def test_steps_come_in_the_order_of_the_page(page: Path):
    """Files are written and changed, commands typed, each with what is seen then, and where."""
    assert [(step.what, step.where, step.text, step.output) for step in tutorial.steps(page)] == [
        ("write", "lamp.py", '# lamp.py\nprint("on")\n', ()),
        ("edit", "lamp.py", '-print("on")\n+print("off")\n', ()),
        ("type", "lamp", "python lamp.py", (("lamp", "off"),)),
        ("type", "", "ls", (("", "lamp.py"), ("lamp", "and off …"))),
        ("type", "lamp", "^C", ()),
    ]


def test_a_step_says_where_it_is(page: Path):
    """Its line is that of the page, so that whoever reads of a failure finds it."""
    assert str(list(tutorial.steps(page))[3]) == "page.md:19: ls"


def test_a_difference_may_have_several_pieces():
    """Each replaces what it shows, wherever that is."""
    assert tutorial.edited("one\ntwo\nthree\n", " one\n+one and a half\n…\n-three\n") == "one\none and a half\ntwo\n"


@pytest.mark.parametrize("text", ["two\n", "one\none\n"])
def test_a_difference_that_does_not_fit_is_an_error(text: str):
    """What it would change must be there, once."""
    with pytest.raises(ValueError, match=r"it is there [02] times"):
        tutorial.edited(text, "-one\n")


@pytest.mark.parametrize(
    ("printed", "right"),
    [
        ("3 lamps\n", True),
        ("3 lamps\non\non\n", True),
        ("3 lamps \n", False),
        ("on\n3 lamps\n", False),
    ],
)
def test_what_is_shown_may_leave_something_out(printed: str, right: bool):
    """``…`` in a line is anything in that line, and alone any number of lines."""
    assert bool(tutorial.as_shown(["… lamps", "…"]).fullmatch(printed)) is right


def test_the_tutorials_have_steps():
    """None of the pages that are to be followed is empty of them."""
    assert all(list(tutorial.steps(page)) for page in tutorial.TUTORIALS)
