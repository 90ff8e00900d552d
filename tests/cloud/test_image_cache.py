"""Images that the hosts of an aggregate are to have before the first server is made of them."""

from typing import Any
from uuid import uuid4

from mininova.rpc import Notifier
from tests.fixtures.cloud import Cloud

FAILS_ON_2 = """
- hosts: host-2
  operation: cache_image
  failure: {message: no space left on device}
"""


def test_the_hosts_of_an_aggregate_cache_images(make_cloud, monkeypatch):
    """Each host that is up tells which images it has and which not; one that is down is not asked."""
    told = list[Any]()
    monkeypatch.setattr(Notifier, "info", lambda self, ctxt, event, payload: told.append((event, payload)))
    cloud: Cloud = make_cloud(hosts=("host-1", "host-2", "host-3"), behaviour=FAILS_ON_2)
    aggregate = cloud.request("POST", "/os-aggregates", {"aggregate": {"name": "rack"}}, user="admin").json
    path = f"/os-aggregates/{aggregate['aggregate']['id']}"
    for host in cloud.computes:
        assert cloud.request("POST", f"{path}/action", {"add_host": {"host": host}}, user="admin").status_code == 200
    cloud.lose_host("host-3")
    images = [str(uuid4()), str(uuid4())]
    answer = cloud.request("POST", f"{path}/images", {"cache": [{"id": image} for image in images]}, user="admin")
    assert (answer.status_code, answer.data) == (202, b"")
    cloud.run()
    assert [payload for event, payload in told if event == "aggregate.cache_images.progress"] == [
        {"name": "rack", "host": "host-1", "images_cached": images, "images_failed": []},
        {"name": "rack", "host": "host-2", "images_cached": [], "images_failed": images},
    ]
