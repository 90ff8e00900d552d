"""Where a refusal of an attack shows: the attacker's own channel, the log of whoever refused, the list of denials."""

from collections.abc import Iterator
from contextlib import contextmanager

import openstack
import pytest
from taken_over import PATIENCE, REFUSALS, Answer


class Refusals:
    """What was seen of refusals while an attack was tried.

    :param attacker: the compute that is taken over
    :param theirs: another compute's host
    :param logs: of each service, as it grows
    :param denied: takes what the conductor denied: the method, and the object of it
    :param rows: the database
    :ivar seen: who refused
    """

    def __init__(self, attacker, theirs, logs, denied, rows):
        self._attacker, self._theirs = attacker, theirs
        self._logs, self._denied, self._rows = logs, denied, rows
        self.seen = set()

    @contextmanager
    def by_broker(self, *words) -> Iterator[None]:
        """See that the broker refuses what is done here: it closes the channel, and says why there and in its log.

        :param words: what it says, beside who it was
        """
        with self.by("rabbitmq", self._attacker.user, *words), pytest.raises(REFUSALS) as told:
            yield
        self.seen.add("broker")
        said = str(told.value)
        assert all(word in said for word in words), said

    @contextmanager
    def by(self, service, *words) -> Iterator[None]:
        """See that a service writes a line about what is done here."""
        log, begin = self._logs[service], len(self._logs[service].lines)
        yield
        log.wait_until(lambda: _line_with(words, log.lines[begin:]), f"{service}: {words}", PATIENCE)
        self.seen.add("broker" if service == "rabbitmq" else service.removeprefix("mininova-").partition("-")[0])

    @contextmanager
    def reaching_nobody(self, console, flow) -> Iterator[None]:
        """See that the broker brings what is sent here to nobody else: the other compute, asked next, had nothing."""
        yield
        asked = {"method": "get_console_output", "receiver": f"compute.{self._theirs}"}
        assert isinstance(console.look(self._theirs), str)
        flow(kind="received", **asked)
        came = [event for event in flow.passed_over if event["receiver"] == asked["receiver"]]
        assert [event for event in came if (event["kind"], event["method"]) != ("sent", asked["method"])] == []
        self.seen.add("broker")

    def by_conductor(self, answer: Answer, method, about=None) -> None:
        """See that the conductor denied this: to the caller, and in its log, where a line may stand for several.

        The list of denials is for later.

        :param about: the object that the denial is about
        """
        assert (answer.error, answer.user_id) == ("Forbidden", "conductor"), answer
        named = {"caller": self._attacker.user, "method": method}
        assert {name: answer.failure["kwargs"].get(name) for name in named} == named, answer
        words = ["denied", self._attacker.user, method]
        log = self._logs["mininova-conductor"]
        log.wait_until(lambda: _line_with(words, log.lines), f"a denial: {words}", PATIENCE)
        self._denied.append((method, about or ""))
        self.seen.add("conductor")

    def in_part_by_conductor(self, answer: Answer, method, *words) -> None:
        """See that the conductor did what it was asked but for a part, and that an operator finds that part listed.

        :param words: what the reason says
        """
        assert answer.failure is None, answer
        for _ in openstack.utils.iterate_timeout(PATIENCE, f"a denial: {words}", wait=0.1):
            reasons = [denied["reason"] for denied in self._listed(self._attacker.user, method)]
            if _line_with(words, reasons):
                break
        self.seen.add("conductor")

    @contextmanager
    def listed(self, caller, method, times=1) -> Iterator[None]:
        """See that the conductor denies what is done here so many times, by its list and by a line of its log.

        :param caller: None for a message that is nobody's
        """
        before = self._times(caller, method)
        yield
        for _ in openstack.utils.iterate_timeout(PATIENCE, f"{times} denials of {method}", wait=0.1):
            if self._times(caller, method) >= before + times:
                break
        words, log = ["denied", method, str(caller)], self._logs["mininova-conductor"]
        log.wait_until(lambda: _line_with(words, log.lines), f"a denial: {words}", PATIENCE)
        self.seen.add("conductor")

    def _times(self, caller, method):
        return sum(denied["count"] for denied in self._listed(caller or "", method))

    def _listed(self, caller, method):
        return self._rows.read("SELECT * FROM denials WHERE caller = ? AND method = ?", caller, method)

    def as_unreadable(self, answer: Answer, error) -> None:
        """See that the conductor's RPC layer refused this before anybody looked at it."""
        assert (answer.error, answer.user_id) == (error, "conductor"), answer
        assert answer.failure["tb"] == []
        self.seen.add("conductor")


def _line_with(words, lines):
    """Tell whether one of the lines has all these words; RabbitMQ's log writes some in small letters."""
    small = [word.lower() for word in words]
    return any(all(word in line.lower() for word in small) for line in lines)
