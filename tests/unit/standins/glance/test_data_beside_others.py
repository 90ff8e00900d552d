"""While an image's data comes or goes, fast or slowly, other clients are served; both kinds of threads."""

import http.client
import threading
from typing import Any

from tests.fixtures.rest_process import PATIENCE, RestProcess

BLOCK = b"x" * 2**20
BLOCKS = 64
SOON = 8.0  # seconds, where an upload that stops is given twenty


def new_image(api: RestProcess, token: str) -> str:
    """Make an image without data, and give the path of its data."""
    asked = {"name": "big", "container_format": "bare", "disk_format": "raw"}
    status, headers, body = api.ask("POST", "/image/v2/images", asked, X_Auth_Token=token)
    assert status == 201, body
    return f"/image/v2/images/{headers['Location'].rpartition('/')[2]}/file"


class Upload:
    """An upload that is under way."""

    def __init__(self, api: RestProcess, token: str, path: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=PATIENCE)
        self._connection.putrequest("PUT", path)
        for name, value in (("X-Auth-Token", token), ("Content-Type", "application/octet-stream")):
            self._connection.putheader(name, value)
        self._connection.putheader("Content-Length", str(BLOCKS * len(BLOCK)))
        self._connection.endheaders()
        self.send(1)

    def send(self, blocks: int) -> None:
        """Send as fast as they are taken."""
        for _ in range(blocks):
            self._connection.send(BLOCK)

    def status(self) -> int:
        """Wait for the answer."""
        status = self._connection.getresponse().status
        self._connection.close()
        return status


def answered_first(api: RestProcess, token: str, work: Any) -> bool:
    """Tell whether an honest client is answered before something ends that began before."""
    ended = threading.Event()
    thread = threading.Thread(target=lambda: (work(), ended.set()))
    thread.start()
    api.served(token)
    was_first = not ended.is_set()
    thread.join(PATIENCE)
    assert ended.is_set()
    return was_first


def test_a_fast_upload_holds_no_other_up(api: RestProcess, token: str) -> None:
    """The data is always there to be read, and still another client has its turn before it is all read."""
    upload = Upload(api, token, new_image(api, token))
    statuses: list[int] = []

    def rest() -> None:
        upload.send(BLOCKS - 1)
        statuses.append(upload.status())

    assert answered_first(api, token, rest)
    assert statuses == [204]


def test_a_slow_upload_holds_no_other_up(api: RestProcess, token: str) -> None:
    """Only the handler of an upload waits for it when it stops in the middle; it can end later."""
    upload = Upload(api, token, new_image(api, token))
    assert max(api.served(token) for _ in range(3)) < SOON
    upload.send(BLOCKS - 1)
    assert upload.status() == 204


def test_a_download_holds_no_other_up(api: RestProcess, token: str) -> None:
    """Downloads that are read fast, and one that is not read at all."""
    path = new_image(api, token)
    upload = Upload(api, token, path)
    upload.send(BLOCKS - 1)
    assert upload.status() == 204
    idle = http.client.HTTPConnection("127.0.0.1", api.port, timeout=PATIENCE)
    idle.request("GET", path, headers={"X-Auth-Token": token})
    assert idle.getresponse().status == 200
    assert answered_first(api, token, lambda: api.ask("GET", path, X_Auth_Token=token))
    assert api.served(token) < SOON
    idle.close()
