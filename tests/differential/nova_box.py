"""A real Nova on a port of this machine: api, conductor, scheduler and two fake computes in one process.

Run by ``python -m tests.differential.record``, with the Python of an environment that has Nova and its tests::

    pip install nova fixtures testtools oslotest wsgi-intercept openstack-placement requests-mock ddt testscenarios

It prints ``serving`` when it listens.  A token is ``user:project:role+role``.  It runs until it is ended.
"""

import json
import logging
import os
import sys
import unittest
import warnings
from pathlib import Path

PORT = int(sys.argv[1])
os.environ["OS_TEST_TIMEOUT"] = "0"
# Nova's api looks for its pipelines where a distribution has them, beside its packages.
PIPELINES = Path(sys.prefix) / "etc/nova/api-paste.ini"

import eventlet.wsgi  # noqa: E402
from nova import context, exception, objects, test  # noqa: E402
from nova.tests.functional import integrated_helpers  # noqa: E402

#: How long a server may take to rest, how often it must look the same, and how long to wait before the next look.
SETTLES_S, LOOKS, BETWEEN_S = 8.0, 3, 0.05
SETTINGS = {
    "compute_driver": "fake.MediumFakeDriver",
    "shelved_offload_time": -1,  # a shelved server stays on its host until it is offloaded
    "reclaim_instance_interval": 3600,  # a deleted server can be restored
    "max_concurrent_snapshots": 0,  # else its semaphore is never free again
}


class Box(integrated_helpers._IntegratedTestBase):
    """Nova's own parts as its functional tests wire them, but that a cast is a cast."""

    CAST_AS_CALL = False
    compute_driver = SETTINGS["compute_driver"]

    def _setup_compute_service(self):
        self.flags(api_paste_config=str(PIPELINES), group="wsgi")
        self.flags(**SETTINGS)
        self._start_compute("host1")
        return self._start_compute("host2")

    def serve(self):
        """Answer requests."""
        warnings.resetwarnings()  # Nova's tests make those of newer libraries fatal, within a compute's work, too
        warnings.simplefilter("ignore")
        logging.disable()  # they log everything, which takes half of the time
        nova = self.api_fixture.app()

        def app(environ, start_response):
            if environ["PATH_INFO"].startswith("/box/"):
                asked = json.loads(environ["wsgi.input"].read())
                done = {"/box/hold": hold, "/box/settle": settle}[environ["PATH_INFO"]](**asked)
                start_response("200 OK" if done else "504 Gateway Timeout", [])
                return []
            user, project, roles = environ["HTTP_X_AUTH_TOKEN"].split(":")
            environ["HTTP_X_AUTH_USER"], environ["HTTP_X_AUTH_PROJECT_ID"] = user, project
            environ["HTTP_X_ROLES"] = roles.replace("+", ",")
            return nova(environ, start_response)

        print("serving", flush=True)
        eventlet.wsgi.server(eventlet.listen(("127.0.0.1", PORT)), app, log_output=False)


def hold(server, vm_state, task_state):
    """Write the states that a server has while something is being done to it, which no request can hold it in."""
    admin = context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(admin, server)
    with context.target_cell(admin, mapping.cell_mapping) as cell:
        instance = objects.Instance.get_by_uuid(cell, server)
        instance.vm_state, instance.task_state = vm_state, task_state
        instance.save()
    return True


def settle(server):
    """Look until a server is at rest and its actions have ended, SETTLES_S at most; Nova does not tell when that is."""
    looks = []
    for _ in range(int(SETTLES_S / BETWEEN_S)):
        looks.append(look(server))
        if looks[-1] is not None and looks[-LOOKS:] == [looks[-1]] * LOOKS:
            return True
        eventlet.sleep(BETWEEN_S)
    return False


def look(server):
    """Give the states of a server and how the events of its actions went, or None while there is something to do."""
    admin = context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(admin, server)
    if mapping.cell_mapping is None:
        return None  # it has not been scheduled
    with context.target_cell(admin, mapping.cell_mapping) as cell:
        try:
            instance = objects.Instance.get_by_uuid(cell, server)
        except exception.InstanceNotFound:
            return "gone" if mapping.queued_for_delete else None  # else it is on its way into the cell
        actions = objects.InstanceActionList.get_by_instance_uuid(cell, server)
        events = [
            (event.event, event.result)
            for action in actions
            for event in objects.InstanceActionEventList.get_by_action(cell, action.id)
        ]
    if instance.task_state is not None or instance.vm_state == "building" or any(not result for _, result in events):
        return None
    return instance.vm_state, instance.power_state, instance.host, len(actions), events


if __name__ == "__main__":
    assert test  # Nova's tests patch their libraries when this is imported
    outcome = unittest.TextTestRunner(sys.stderr).run(Box("serve"))
    sys.exit(not outcome.wasSuccessful())
