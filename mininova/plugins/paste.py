"""Which Paste Deploy file describes the REST services: also for those that only look a name up in it.

mininova/wsgi builds applications from it, which takes WebOb and Paste; to read a line of it takes neither.
"""

from pathlib import Path

#: The file that comes with mininova, and the one that an operator may put in its place.
OURS, THEIRS = Path(__file__).parents[1] / "wsgi/api-paste.ini", Path("/etc/mininova/api-paste.ini")


def paste_file(configured: str | None, theirs: Path = THEIRS) -> Path:
    """Choose the Paste Deploy file: the one that is configured, else the operator's, else ours.

    :param configured: ``[api] paste_config``
    """
    return Path(configured) if configured else theirs if theirs.exists() else OURS
