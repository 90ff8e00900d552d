"""Become a Qpid Broker-J, and say that it is up when it says so: what the start script of qpid.Node runs.

Java cannot write to a socket of systemd's kind.  So a child reads what the broker prints, passes it on, and writes to
that socket when the line comes; it ends with the broker.
"""

import json
import os
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from stack import broker, qpid, readiness

_UP = b"BRK-1004"  # Qpid Broker Ready
_MEMORY = "-Xmx512m", "-XX:MaxDirectMemorySize=512m"
_QUICK = "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"  # two cores, and a start in four seconds


def main(folder: Path, jars: Path) -> None:
    """Write the broker's configuration anew and become the broker."""
    node = json.loads((folder / "node.json").read_text())
    configuration = qpid.configuration(node, json.loads((folder / broker.DEFINITIONS).read_text()))
    initial = folder / "initial.json"
    initial.touch(mode=0o600)
    initial.write_text(json.dumps(configuration, indent=2))
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(writing)
        _pass_on(reading)
        return
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    java = [
        "java", *_MEMORY, *_QUICK, f"-Dqpid.work_dir={folder / 'data'}", "-Dqpid.broker_msg_auth=true",
        "-cp", f"{jars}/*", "org.apache.qpid.server.Main", "-st", "Memory", "-icp", str(initial),
    ]  # fmt: skip
    os.chdir(folder)  # where Derby has its log
    os.execvp("java", java)


def _pass_on(reading: int) -> None:
    """Copy lines to the output, until there are no more."""
    with open(reading, "rb") as lines:
        for line in lines:
            os.write(1, line)
            if _UP in line and (path := os.environ.get(readiness.VARIABLE)):
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
                    told.sendto(b"READY=1", path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
