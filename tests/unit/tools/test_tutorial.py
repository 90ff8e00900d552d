"""The steps of a tutorial are read from its page."""

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
    """Give a page that is not in a file."""

    class Unwritten(type(ROOT)):  # type: ignore[misc]
        def read_text(self) -> str:
            return PAGE

    return Unwritten(ROOT / "page.md")


def test_steps_come_in_the_order_of_the_page(page: Path):
    """Steps write and change files and type commands; each has its expected output, and its terminal."""
    assert [(step.what, step.where, step.text, step.output) for step in tutorial.steps(page)] == [
        ("write", "lamp.py", '# lamp.py\nprint("on")\n', ()),
        ("edit", "lamp.py", '-print("on")\n+print("off")\n', ()),
        ("type", "lamp", "python lamp.py", (("lamp", "off"),)),
        ("type", "", "ls", (("", "lamp.py"), ("lamp", "and off …"))),
        ("type", "lamp", "^C", ()),
    ]


def test_a_step_says_where_it_is(page: Path):
    """Its line is that of the page, where a reader of a failure finds it."""
    assert str(list(tutorial.steps(page))[3]) == "page.md:19: ls"


def test_a_difference_may_have_several_pieces():
    """Each piece replaces its lines, in any place of the file."""
    assert tutorial.edited("one\ntwo\nthree\n", " one\n+one and a half\n…\n-three\n") == "one\none and a half\ntwo\n"


@pytest.mark.parametrize("text", ["two\n", "one\none\n"])
def test_a_difference_that_does_not_fit_is_an_error(text: str):
    """The lines that it changes must be in the file, once."""
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
def test_shown_output_may_leave_lines_out(printed: str, right: bool):
    """``…`` in a line stands for any text, and alone for any number of lines."""
    assert bool(tutorial.as_shown(["… lamps", "…"]).fullmatch(printed)) is right


def test_the_tutorials_have_steps():
    """Each page of TUTORIALS has steps."""
    assert all(list(tutorial.steps(page)) for page in tutorial.TUTORIALS)
