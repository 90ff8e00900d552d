"""A tool as people write them for OpenStack: keeps a fleet of so many servers, and replaces those that failed.

test_fleet.py beside it shows how such a tool is tested on a cloud of mininova.
"""

from typing import Any


class Fleet:
    """Servers of one name, numbered.

    :param connection: an openstack.connection.Connection
    :param name: what the names of the servers begin with
    """

    def __init__(self, connection: Any, name: str, *, image: str = "cirros", flavor: str = "m1.tiny") -> None:
        self._compute, self._name = connection.compute, name
        self._image = connection.image.find_image(image, ignore_missing=False).id
        self._flavor = connection.compute.find_flavor(flavor, ignore_missing=False).id

    def servers(self) -> list[Any]:
        """Give those that there are, in the order of their names."""
        found = self._compute.servers(name=f"^{self._name}-[0-9]+$")
        return sorted(found, key=lambda server: int(server.name.rpartition("-")[2]))

    def scale(self, size: int) -> None:
        """Have so many of them run: those in ERROR are replaced, and the last ones go first."""
        for server in self.servers():
            if server.status == "ERROR":
                self._delete(server)
        there = self.servers()
        for server in there[size:]:
            self._delete(server)
        taken = {server.name for server in there}
        free = (name for number in range(1, 2 * size + 1) if (name := f"{self._name}-{number}") not in taken)
        made = [self._create(next(free)) for _ in range(size - len(there))]
        for server in made:
            self._compute.wait_for_server(server, interval=0.05, wait=30)

    def _create(self, name: str) -> Any:
        return self._compute.create_server(name=name, image_id=self._image, flavor_id=self._flavor, networks="auto")

    def _delete(self, server: Any) -> None:
        self._compute.delete_server(server)
        self._compute.wait_for_delete(server, interval=0.05, wait=30)
