"""What a compute is made to say that it must not: the conductor is asked in its name, with its own broker user.

Who took a compute over has that much, its password and its settings, and so has a compute of another release.  What is
sent is like any message of the compute; only the answer is not waited for, since it goes to the queue of the true one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from mininova import conf, errors, rpc
from mininova.compute.credential import Credential
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.objects import Flavor, Instance, InstanceChanges
from mininova.rpc import envelope
from mininova.rpc.envelope import Request
from mininova.rpc.transports.base import Message, Transport
from mininova.rpc.trust import lanes
from mininova.rpc.watch import flow
from mininova.service import broker
from mininova.service.codec import CODEC
from mininova.virt.guests import Guest, GuestStore
from stack import services, settings
from stack.errors import StackError
from stack.home import Home

PATIENCE_S = 10.0  # for the broker to take a message
NO_FLAVOR = Flavor(flavor_id="", name="", memory_mb=0, vcpus=0, root_gb=0)


class Impostor:
    """Speaks in the name of the computes of a stack, those that were added to it, too.

    :param home: of the stack
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def trespass(self, program: str) -> None:
        """Ask in the name of a compute that the instance of another host be in ERROR.

        :param program: of the compute, ``mininova-compute-host-1``
        :raises StackError: when no other compute has an instance, or nothing would refuse it
        """
        if settings.load(self._home).broker_url:
            raise StackError("On your broker all services are one user: the conductor would not know who asks.")
        own, others = self._computes(program)
        guest = next((guest for other in others for guest in self._guests(other)), None)
        if guest is None:
            raise StackError("No other compute has an instance that could be asked for: boot some servers.")
        instance = Instance(
            uuid=guest.uuid, project_id="", user_id="", display_name=guest.name, vm_state="active", flavor=NO_FLAVOR,
            host=self._read(own).host,
        )  # fmt: skip
        asked = {"instance": instance, "operation": None, "changes": InstanceChanges(vm_state="error")}
        self._ask(own, "update_instance", asked, ConductorAPI.version)

    def mismatch(self, program: str) -> None:
        """Ask in the name of a compute as the next major release would, whose versions no conductor speaks.

        :param program: of the compute, ``mininova-compute-host-1``
        :raises StackError: when the broker does not take the message
        """
        own, _ = self._computes(program)
        major, _, _ = ConductorAPI.version.partition(".")
        self._ask(own, "get_instances", {"host": self._read(own).host}, f"{int(major) + 1}.0")

    def _computes(self, program: str) -> tuple[str, list[str]]:
        """Give the name of a compute, and those of the others."""
        own = program.removeprefix(services.COMPUTE)
        if own == program:
            raise StackError(f"{program} is no compute.")
        return own, [name for name in settings.load(self._home).computes if name != own]

    def _read(self, compute: str) -> Any:
        return conf.read_files("compute", [str(services.compute_file(self._home, compute))])

    def _guests(self, compute: str) -> Iterator[Guest]:
        its = self._read(compute)
        for host in its.compute.hosts or (its.host,):
            yield from GuestStore(its.fake.state_dir, host).load().values()

    def _ask(self, compute: str, method: str, arguments: dict[str, Any], version: str) -> None:
        """Send a call to the conductors, and tell the flow of it, as the compute does."""
        its = self._read(compute)
        with _connected(its) as transport:
            lane = lanes.exchange_of(its.control_exchange, transport.user_id)
            shared = not its.identities.enforce

            def message(body: bytes, exchange: str, key: str, message_id: str = "") -> Message:
                return Message(
                    body=body, exchange=exchange if shared else lane, routing_key=key, message_id=message_id,
                    app_id=f"compute.{its.host}", user_id=transport.user_id,
                )  # fmt: skip

            request = Request(
                method=method, args=dict(CODEC.wrap(arguments, {})), version=version,
                context=CODEC.context_to_wire(service_context()), msg_id=uuid4().hex,
            )  # fmt: skip
            call = message(
                envelope.pack_request(request), its.control_exchange, ConductorAPI.topic, request.msg_id or ""
            )
            if its.flow.enabled:
                report = flow.Reporter(lambda body: transport.publish(message(body, flow.EXCHANGE, flow.KEY)))
                report.start()
                with flow.Flow(report).sending("call", ConductorAPI.topic, call, request):
                    report.stop()
            transport.publish_confirmed(call, PATIENCE_S)


@contextmanager
def _connected(its: Any) -> Iterator[Transport]:
    """Connect to the broker as a compute does, with the password that is good now.

    :param its: settings
    :raises StackError: when the broker is away, or takes nothing of it
    """
    try:
        user, password = (address := broker.address(its)).user, address.password or ""
        passwords = Credential(Path(its.state_path, f"{user}.passwords"), password, lifetime=0)
        transport = broker.transport(its, declares=False, passwords=passwords)
        transport.start()
        try:
            yield transport
        finally:
            transport.stop()
    except (rpc.RPCError, errors.MininovaError) as error:
        raise StackError(f"The broker does not take it: {error}") from None
