"""Servers by the Compute API, with openstacksdk, as the user of a clouds.yaml."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, ClassVar

CLOUD = "mininova"  # in clouds.yaml


class RefusedError(Exception):
    """The cloud refuses what it is asked, or does not answer.

    :ivar status: of its answer; 503 where there is none
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Servers:
    """Makes servers and acts on them.

    :param clouds: the path of a clouds.yaml
    """

    ACTIONS: ClassVar[Mapping[str, Callable[[Any, str], object]]] = {
        "stop": lambda compute, server: compute.stop_server(server),
        "start": lambda compute, server: compute.start_server(server),
        "reboot": lambda compute, server: compute.reboot_server(server, "SOFT"),
        "pause": lambda compute, server: compute.pause_server(server),
        "unpause": lambda compute, server: compute.unpause_server(server),
        "suspend": lambda compute, server: compute.suspend_server(server),
        "resume": lambda compute, server: compute.resume_server(server),
        "shelve": lambda compute, server: compute.shelve_server(server),
        "unshelve": lambda compute, server: compute.unshelve_server(server),
        "confirmResize": lambda compute, server: compute.confirm_server_resize(server),
        "revertResize": lambda compute, server: compute.revert_server_resize(server),
        "delete": lambda compute, server: compute.delete_server(server, ignore_missing=False),
    }

    def __init__(self, clouds: str) -> None:
        self._clouds, self._turn = clouds, threading.Lock()  # a connection is for one thread at a time

    @cached_property
    def _connection(self) -> Any:
        try:
            from openstack.config import OpenStackConfig  # a second of imports, which only those wait for who play
            from openstack.connection import Connection
        except ImportError:
            raise RefusedError(501, "The page asks by openstacksdk, which is not installed here.") from None

        return Connection(config=OpenStackConfig(config_files=[self._clouds], load_envvars=False).get_one(CLOUD))

    def boot(self, name: str, flavor: str, image: str, count: int) -> None:
        """Make servers.

        :raises RefusedError: when the cloud does not
        """
        with self._turn, _in_its_words():
            cloud = self._connection
            cloud.compute.create_server(
                name=name,
                flavor_id=cloud.compute.find_flavor(flavor, ignore_missing=False).id,
                image_id=cloud.image.find_image(image, ignore_missing=False).id,
                networks="auto",
                min_count=count,
                max_count=count,
            )

    def act(self, uuid: str, action: str, flavor: str) -> None:
        """Do something to a server.

        :param action: of ACTIONS, or ``resize``
        :param flavor: what it is resized to, by name
        :raises RefusedError: when the cloud does not
        """
        with self._turn, _in_its_words():
            compute = self._connection.compute
            if action == "resize":
                compute.resize_server(uuid, compute.find_flavor(flavor, ignore_missing=False).id)
            else:
                self.ACTIONS[action](compute, uuid)


@contextmanager
def _in_its_words() -> Iterator[None]:
    """Turn what openstacksdk raises into a RefusedError."""
    from keystoneauth1.exceptions import ClientException
    from openstack.exceptions import NotFoundException, SDKException

    try:
        yield
    except (SDKException, ClientException) as error:
        unknown = 404 if isinstance(error, NotFoundException) else 503  # it found nothing, or had no answer
        status = getattr(error, "status_code", None) or getattr(error, "http_status", None) or unknown
        raise RefusedError(int(status), str(getattr(error, "details", None) or error)) from error
