"""A made-up boot as a list of events, as the services would report it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mininova import objects, states
from mininova.objects import Fault, FixedIP, Flavor, ImageMeta, Instance, InstanceChanges, RequestSpec, Selection
from mininova.rpc.watch.flow import MessageEvent

BEGAN = 1_790_000_000.0
REQUEST = "req-11111111-2222-3333-4444-555555555555"
UUID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

API, CONDUCTOR, SCHEDULER = "api.ctl-1", "conductor.ctl-1", "scheduler.ctl-1"

FLAVOR = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)
SPEC = RequestSpec(flavor=FLAVOR, image=ImageMeta(id="cirros", name="cirros"), project_id="demo")
HOSTS = [Selection(host=host, node=host, availability_zone="nova") for host in ("host-2", "host-1", "host-3")]


def instance(task_state: str | None, vm_state: str = states.BUILDING, uuid: str = UUID, **more: Any) -> Instance:
    """Make web-1 as it is at some point of its boot."""
    named = {"display_name": "web-1", **more}
    return Instance(
        uuid=uuid, project_id="demo", user_id="u", vm_state=vm_state, task_state=task_state, flavor=FLAVOR, **named
    )


class Story:
    """Gathers the events of a request; each call of a method is a message, and takes a millisecond."""

    def __init__(self, request_id: str | None = REQUEST, began: float = BEGAN) -> None:
        self.request_id, self.now, self.began = request_id, began, began
        self.events: list[MessageEvent] = []
        self._messages = 0

    def tell(self, kind: str, **fields: Any) -> None:
        """Add an event a fifth of a millisecond after the last."""
        self.now += 0.0002
        payload = msgspec.to_builtins(objects.wrap(fields.pop("payload", {})))
        self.events.append(MessageEvent(kind=kind, at=self.now, request_id=self.request_id, payload=payload, **fields))

    def http(self, method: str, status: int, duration: float = 0.0079) -> None:
        """An HTTP request with its answer."""
        self.tell("http", pattern="http", sender="client", receiver=API, method=method, duration=duration,
                  message_id=str(self.request_id), payload={"status": status})  # fmt: skip

    def _message(self, pattern: str, sender: str, topic: str, method: str, args: dict[str, Any]) -> dict[str, Any]:
        self._messages += 1
        message = {
            "message_id": f"{self.request_id}-{self._messages}", "pattern": pattern, "sender": sender, "method": method,
            "interface": topic.partition(".")[0], "version": "1.0", "routing_key": topic, "exchange": "mininova",
        }  # fmt: skip
        self.tell("sent", receiver=topic, payload=args, **message)
        return message

    def cast(
        self, sender: str, receiver: str, method: str, *, topic: str = "", took: float = 0.0123, **args: Any
    ) -> None:
        """A cast that is received and handled."""
        message = self._message("cast", sender, topic or receiver.partition(".")[0], method, args)
        self.tell("received", receiver=receiver, **message)
        self.tell("replied", receiver=receiver, duration=took, payload={"result": None}, **message)

    def call(
        self, sender: str, receiver: str, method: str, result: Any = None, error: str | None = None, **args: Any
    ) -> None:
        """A call with its reply."""
        message = self._message("call", sender, receiver.partition(".")[0], method, args)
        self.tell("received", receiver=receiver, **message)
        self.now += 0.0006
        self.tell("replied", receiver=receiver, duration=0.0021, error=error, payload={"result": result}, **message)

    def notification(self, sender: str, event_type: str, **payload: Any) -> None:
        """A notification, which has no reply."""
        self._messages += 1
        self.tell("sent", pattern="notification", sender=sender, receiver="notifications.info", method=event_type,
                  message_id=f"{self.request_id}-{self._messages}", payload=payload)  # fmt: skip


def update(old: Instance, new: Instance) -> dict[str, Any]:
    """The payload of compute.instance.update."""
    return {
        "instance_id": new.uuid, "display_name": new.display_name, "host": new.host or "",
        "old_state": old.vm_state, "state": new.vm_state,
        "old_task_state": old.task_state, "new_task_state": new.task_state,
    }  # fmt: skip


@pytest.fixture(name="new_story")
def new_story_fixture() -> type[Story]:
    """Give the class with which a test makes its own story."""
    return Story


@pytest.fixture(name="new_instance")
def new_instance_fixture() -> Callable[..., Instance]:
    """Give a function that makes web-1 at some point of its boot."""
    return instance


@pytest.fixture
def boot() -> list[MessageEvent]:
    """Make a boot that succeeds."""
    story, compute = Story(), "compute.host-2"
    new = instance(states.SCHEDULING)
    placed = new.replace(host="host-2")
    address = FixedIP(address="10.0.0.5", network="flat", mac_address="fa:16:3e:00:00:05")
    networked = placed.replace(task_state=states.NETWORKING, addresses=(address,))

    story.http("POST /v2.1/servers", 202)
    story.cast(API, CONDUCTOR, "build_instances", instances=[new], request_spec=SPEC)
    story.call(CONDUCTOR, SCHEDULER, "select_destinations", [HOSTS], request_spec=SPEC, instance_uuids=[UUID])
    story.cast(CONDUCTOR, compute, "build_instance", topic=compute, took=0.041,
               instance=placed, image=SPEC.image)  # fmt: skip
    story.notification(compute, "compute.instance.create.start", instance_id=UUID, display_name="web-1")
    story.call(compute, CONDUCTOR, "allocate_network", networked, instance=placed)
    story.notification(CONDUCTOR, "compute.instance.update", **update(placed, networked))
    last = networked
    for task_state in (states.BLOCK_DEVICE_MAPPING, states.SPAWNING):
        reached = last.replace(task_state=task_state)
        _step(story, compute, last, reached, InstanceChanges(task_state=task_state))
        last = reached
    active = last.replace(vm_state=states.ACTIVE, task_state=None, power_state=1)
    _step(story, compute, last, active, InstanceChanges(vm_state=states.ACTIVE, task_state=None, power_state=1))
    story.notification(compute, "compute.instance.create.end", instance_id=UUID, display_name="web-1")
    return story.events


def _step(story: Story, compute: str, before: Instance, after: Instance, changes: InstanceChanges) -> None:
    story.call(compute, CONDUCTOR, "update_instance", after, instance=before, operation="build", changes=changes)
    story.notification(CONDUCTOR, "compute.instance.update", **update(before, after))


@pytest.fixture
def failed_build() -> list[MessageEvent]:
    """Make a build that fails on its last host."""
    story, compute = Story(), "compute.host-1"
    spawning = instance(states.SPAWNING, host="host-1")
    fault = Fault(code=500, message="Failed to spawn instance: the disk is full")
    story.http("POST /v2.1/servers", 202)
    story.cast(compute, CONDUCTOR, "reschedule_instance", instance=spawning, fault=fault)
    failed = spawning.replace(vm_state=states.ERROR, task_state=None)
    story.call(compute, CONDUCTOR, "fail_instance", failed, instance=spawning, operation="build", fault=fault)
    return story.events


@pytest.fixture
def heartbeat() -> list[MessageEvent]:
    """Make a heartbeat, which belongs to no request."""
    story = Story("req-00000000-0000-0000-0000-000000000001")
    story.call("compute.host-1", CONDUCTOR, "report_state")
    return story.events


@pytest.fixture
def requests() -> Callable[[int], list[list[MessageEvent]]]:
    """Make small requests, each for a server of its own, a second apart."""

    def told(count: int) -> list[list[MessageEvent]]:
        return [_create(number) for number in range(count)]

    return told


def _create(number: int) -> list[MessageEvent]:
    story = Story(f"req-{number:08}-0000-0000-0000-000000000000", BEGAN + number)
    new = instance(states.SCHEDULING, uuid=f"{number:08}-0000-4000-8000-000000000000", display_name=f"vm-{number}")
    story.cast(API, CONDUCTOR, "build_instances", instances=[new], request_spec=SPEC)
    story.http("POST /v2.1/servers", 202)
    return story.events
