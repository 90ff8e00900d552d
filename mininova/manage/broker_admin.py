"""Runs rabbitmqctl, or what takes its place for another broker, to make, list and remove users: AMQP cannot do that.

Each method is one run of the command, because a run takes a second.  What is made or removed is also written to the
file that the broker loads when it boots, if the settings name it: a broker that lost its disk has what is there.
"""

import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.trust import identities
from mininova.trust.broker import definitions
from mininova.trust.broker.definitions import Definitions

_UNBIND = f"""
[rabbit_binding:remove(Binding, fun(_, _) -> ok end, <<"mininova-manage">>)
  || Binding <- rabbit_binding:list_for_source(rabbit_misc:r(<<VIRTUAL_HOST>>, exchange, <<EXCHANGE>>)),
     {{_, _, Kind, Name}} <- [element(4, Binding)],
     Kind =:= exchange orelse re:run(Name, "^{identities.COMPUTE}[.]") =/= nomatch].
"""

_GONE = ("no_such_user", "does not exist")


class BrokerAdmin:
    """The command of ``[broker_admin] command``: RabbitMQ's ``rabbitmqctl``, or one that takes the same arguments.

    qpidctl.py is such a one.
    """

    def __init__(self, conf: ConfigOpts) -> None:
        self._command, self._timeout = conf.broker_admin.command, conf.broker_admin.timeout
        self._file = conf.broker_admin.definitions_file

    def define(self, wanted: Definitions) -> None:
        """Make users, queues and exchanges, or change those that are there."""
        self._run("import_definitions", "--format", "json", given=json.dumps(wanted))
        self._keep(lambda whole: definitions.merged(whole, definitions.without_passwords(wanted)))

    def defined(self) -> dict[str, Any]:
        """Export the broker's users, rights, queues and exchanges."""
        return dict(json.loads(self._run("export_definitions", "-", "--format", "json")))

    def evaluated(self, expression: str) -> str:
        """Have the broker evaluate Erlang, and give what that prints: it knows more than its other commands tell."""
        return self._run("eval", expression)

    def settings(self, names: Sequence[str]) -> dict[str, Any]:
        """Read the broker's own settings, as far as they are set."""
        settings = ", ".join(f"{name} => application:get_env(rabbit, {name}, null)" for name in names)
        printed = self.evaluated(f'io:format("~s~n", [rabbit_json:encode(#{{{settings}}})]).')
        return dict(json.loads(printed.partition("\n")[0]))

    def unbind(self, exchange: str, virtual_host: str) -> None:
        """Remove what a compute has bound to its lane, and each exchange that is bound there.

        :param exchange: the lane
        """
        names = {"VIRTUAL_HOST": json.dumps(virtual_host), "EXCHANGE": json.dumps(exchange)}
        self.evaluated(re.sub("|".join(names), lambda found: names[found[0]], _UNBIND))

    def remove_bindings(self, bindings: Sequence[Mapping[str, Any]]) -> None:
        """Remove bindings from a Qpid; rabbitmqctl has no such word.

        :param bindings: as they are exported
        """
        self._run("remove_bindings", given=json.dumps(bindings))

    def purge_queue(self, queue: str, virtual_host: str) -> None:
        """Take all messages out of a queue that wait in it."""
        self._run("purge_queue", "--vhost", virtual_host, queue)

    def delete_queue(self, queue: str, virtual_host: str) -> None:
        """Delete a queue with all that is in it."""
        self._run("delete_queue", "--vhost", virtual_host, queue)

    def disconnect(self, user: str, why: str) -> None:
        """Close every connection of a user."""
        self._run("close_all_user_connections", user, why)

    def remove(self, user: str) -> bool:
        """Remove a user and its connections; tell whether it existed."""
        existed = True
        try:
            self._run("delete_user", user)
        except errors.BrokerAdminFailed as error:
            if not any(said in str(error).lower() for said in _GONE):
                raise
            existed = False
        self._keep(lambda whole: definitions.without_user(whole, user))
        return existed

    def _keep(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Change the file that the broker loads when it boots; it is whole at every moment.

        :raises errors.DefinitionsNotKept: when it cannot be read or written
        """
        if self._file is None:
            return
        path = Path(self._file)
        new = path.with_name(f"{path.name}.new")
        try:
            with _alone(path.with_name(f"{path.name}.lock")):  # conductors change it, too
                changed = change(json.loads(path.read_text()))
                shutil.copy2(path, new)  # for its mode
                new.write_text(json.dumps(changed, indent=2))
                os.replace(new, path)
        except (OSError, ValueError) as error:
            raise errors.DefinitionsNotKept(file=path, reason=error) from None

    def _run(self, *words: str, given: str = "") -> str:
        command = [*shlex.split(self._command), "--quiet", *words]
        try:
            done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=self._timeout)
        except OSError as error:
            raise errors.BrokerAdminFailed(command=command[0], reason=error.strerror) from None
        except subprocess.TimeoutExpired:
            raise errors.BrokerAdminFailed(
                command=command[0], reason=f"it did not end within {self._timeout} s"
            ) from None
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())
            raise errors.BrokerAdminFailed(command=f"{command[0]} {words[0]}", reason=said)
        return done.stdout


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process is in such a block with this file."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
