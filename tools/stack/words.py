"""What can be typed after tools/stack.sh and tools/unstack.sh, and the help that says so.

The scripts ask here before they make the virtual environment, so that help, and a word that means nothing, cost no
installation.  So this imports nothing but the standard library.  cli.py does what was typed.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DEFAULT_API_PORT = 8774
#: The first broker port that is tried when none is named; 5672 is left to the machine's own broker.
FIRST_BROKER_PORT = 5673
#: Likewise those of the real Keystone and Glance.
FIRST_FLOW_PORT = 8780
FIRST_KEYSTONE_PORT, FIRST_GLANCE_PORT = 5000, 9292

HELP = {"-h", "--help"}

#: The exit code for words that are to be done: those that are answered here end with 0 or 2.
GO_ON = 64


@dataclass(frozen=True)
class Command:
    """What can be typed.

    :param arguments: what follows the name; a word in capitals must be given, one in brackets may be, as it is there
    """

    arguments: str
    purpose: str

    def accepts(self, words: Sequence[str]) -> bool:
        """Say whether these words can follow the name."""
        wanted = self.arguments.split()
        least = sum(word.isupper() for word in wanted)
        if not least <= len(words) or (len(words) > len(wanted) and not self.arguments.endswith("…")):
            return False
        return all(want[0] != "[" or word == want[1:-1] for want, word in zip(wanted, words, strict=False))


COMMANDS: Mapping[str, Command] = {
    "up": Command("", "start everything, boot a server, show its flow; without a word it is this"),
    "status": Command("", "list the processes and how they do"),
    "logs": Command("SERVICE [-f]", "show the end of a service's log; -f goes on showing it"),
    "browse": Command("", "open the page that shows the cloud, message by message, in a browser"),
    "restart": Command("SERVICE", "stop a service and start it again"),
    "add-compute": Command("NAME", "start one compute more"),
    "rabbitmqctl": Command("…", "ask the private broker: list_queues, for one"),
    "broker": Command("[stop] [--clean]", "run a private broker alone, and print its URL; or stop it"),
    "install": Command("", "install what is missing, and start nothing"),
    "down": Command("[--clean]", "stop everything (tools/unstack.sh); --clean removes its state, too"),
    "help": Command("", "say this"),
}

VARIABLES = {
    "MININOVA_HOME": "the folder that keeps everything (.stack in the checkout); a broker alone has it with -broker",
    "MININOVA_API_PORT": f"where the REST API listens, on 127.0.0.1 ({DEFAULT_API_PORT})",
    "MININOVA_BROKER": "which broker to run: rabbitmq, or qpid for Apache Qpid Broker-J (rabbitmq)",
    "MININOVA_BROKER_PORT": f"where the broker listens, on 127.0.0.1 (the first free one from {FIRST_BROKER_PORT} up)",
    "MININOVA_COMPUTES": "how many computes to start: host-1, host-2 … (3)",
    "MININOVA_HOSTS_PER_COMPUTE": "how many hosts each of them stands for; from 2 up they are rack-1, rack-2 … (1)",
    "MININOVA_CONDUCTORS": "how many conductors to start: mininova-conductor, mininova-conductor-2 … (1)",
    "MININOVA_BROKER_URL": "a broker that runs already, amqp://USER:PASSWORD@HOST:PORT/ or kombu+redis://HOST:PORT/0",
    "MININOVA_TLS": "1 has the private broker speak TLS only, with an authority made for it at each start (0)",
    "MININOVA_DB_URL": "a database that runs already, as SQLAlchemy names it, instead of a SQLite file",
    "MININOVA_FLOW": "0 reports no messages, as for benchmarks (1)",
    "MININOVA_FLOW_PORT": f"where a browser shows the flow; 0 is nowhere (the first free from {FIRST_FLOW_PORT} up)",
    "MININOVA_METRICS_PORT": "where mininova-api shows its metrics; the other services take the next ports (none)",
    "MININOVA_CONSOLE_PORT": "where mininova-consoleproxy shows VNC consoles, and at the next port serial ones (none)",
    "MININOVA_PASTE_CONFIG": "a Paste file of your own instead of mininova/wsgi/api-paste.ini (none)",
    "MININOVA_PYTHONPATH": "a folder where the services find Python packages of yours, such as filters in it (none)",
    "MININOVA_CONCURRENCY": "threads has the services run on native threads instead of eventlet's (eventlet)",
    "MININOVA_IDENTITY": "keystone runs a real Keystone, from PyPI, in the place of the stand-in (standin)",
    "MININOVA_KEYSTONE_PORT": f"where it listens, on 127.0.0.1 (the first free one from {FIRST_KEYSTONE_PORT} up)",
    "MININOVA_IMAGE": "glance runs a real Glance likewise; it takes MININOVA_IDENTITY=keystone (standin)",
    "MININOVA_GLANCE_PORT": f"where it listens, on 127.0.0.1 (the first free one from {FIRST_GLANCE_PORT} up)",
    "MININOVA_BOOT": "0 starts the services without booting a first server (1)",
    "MININOVA_CONTROL_API": "1 has an API that kills, pauses and cuts off services, and has requests fail (0)",
    "MININOVA_VIF_EVENTS": "1 has a boot wait until the network service has told Nova that its ports are plugged (0)",
    "RABBITMQ_SERVER": "the rabbitmq-server program, when it is nowhere usual",
    "QPID_JARS": "the folder of Qpid's jars, when tools/install-qpid.sh did not fetch them (.venv/share/qpid-broker-j)",
}


def answer(words: Sequence[str]) -> int:
    """Print the help, or refuse what is no command; give the exit code, which is GO_ON for all other words."""
    name, *rest = words or ("up",)
    if name == "help" or HELP & {name, *rest[:1]} or (name, *rest) == ("down", "help"):
        print(usage())
        return 0
    if name in COMMANDS and COMMANDS[name].accepts(rest):
        return GO_ON
    typed = " ".join(["tools/unstack.sh", *rest] if name == "down" else ["tools/stack.sh", *words])
    known = COMMANDS.get(name)
    why = f"it takes {known.arguments or 'no more words'}" if known else "there is no such command"
    print(f"{typed}: {why}.  tools/stack.sh help lists what there is.", file=sys.stderr)
    return 2


def usage() -> str:
    """List the commands and the variables."""
    lines = ["tools/stack.sh [COMMAND]: a whole mininova on this machine", ""]
    lines += [f"  {f'{name} {command.arguments}':28}{command.purpose}" for name, command in COMMANDS.items()]
    lines += ["", "What it goes by, from the environment:", ""]
    lines += [f"  {name:28}{purpose}" for name, purpose in VARIABLES.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(answer(sys.argv[1:]))
