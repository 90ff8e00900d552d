"""Looks for a secret where it could have got to: in bytes, in files, in what a process shows and remembers.

A secret is found in whatever form it may travel: as it is, in base64 (wherever in its text it begins), in hexadecimal
digits, or quoted for a URL.
"""

import base64
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote


def forms(secret: str) -> tuple[bytes, ...]:
    """Give the forms in which a secret may be written."""
    plain = secret.encode()
    encoded = [_base64(plain, offset) for offset in range(3)]
    urlsafe = [text.replace(b"+", b"-").replace(b"/", b"_") for text in encoded]
    return tuple({plain, plain.hex().encode(), quote(secret, safe="").encode(), *encoded, *urlsafe})


def _base64(plain: bytes, offset: int) -> bytes:
    """Give the base64 of a text that other text surrounds: the part that does not depend on that."""
    encoded = base64.b64encode(b"?" * offset + plain)
    return encoded[(0, 2, 3)[offset] :][: (len(plain) * 4 - 7) // 3]


def has(data: bytes, secret: str) -> bool:
    """Tell whether a secret is in there, in any form."""
    return any(form in data for form in forms(secret))


def files_with(folder: Path, secret: str) -> set[str]:
    """Name the files under a folder that have a secret in them."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(folder)) for path in files if has(path.read_bytes(), secret)}


# ---- processes


def shown_by(pid: int) -> dict[str, bytes]:
    """Give what /proc shows of a process to whoever may look: its command line, its environment, its open files."""
    proc = Path(f"/proc/{pid}")
    shown = {name: (proc / name).read_bytes() for name in ("cmdline", "environ")}
    return shown | {path: Path(path).read_bytes() for path in open_files(pid) if Path(path).is_file()}


def open_files(pid: int) -> list[str]:
    """Name what a process has open: files by their paths, and the rest as Linux calls it."""
    found = []
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(os.readlink(entry.path))
    return found


def memory_of(pid: int) -> Iterator[bytes]:
    """Read what a process may write to in its memory, piece by piece: all that it was told is there, or was.

    :raises PermissionError: when Linux lets nobody look who is no forebear (kernel.yama.ptrace_scope)
    """
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, access, *_ = line.split()
            begin, end = (int(part, 16) for part in span.split("-"))
            if access.startswith("rw"):
                with suppress(OSError):  # what is no memory, such as a device
                    memory.seek(begin)
                    yield memory.read(end - begin)


def remembered(pid: int, secrets: Iterable[str]) -> set[str]:
    """Give those of some secrets that are in the memory of a process."""
    wanted, found = {secret: forms(secret) for secret in secrets}, set()
    for piece in memory_of(pid):
        found |= {secret for secret, written in wanted.items() if any(form in piece for form in written)}
    return found
