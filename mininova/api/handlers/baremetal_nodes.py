"""Bare metal nodes over HTTP, which Nova passed on to Ironic until 2.35: there is no Ironic."""

from typing import Any, NoReturn

from mininova import errors
from mininova.api.request import ComputeRequest


def index(request: ComputeRequest) -> Any:
    """Refuse to list what another service would know."""
    request.require("os-baremetal-nodes:list")
    raise errors.NotSupported()


def show(request: ComputeRequest, id: str) -> Any:
    """Refuse to show what another service would know."""
    request.require("os-baremetal-nodes:show")
    raise errors.NotSupported()


def create(request: ComputeRequest) -> Any:
    """Refuse to make a node, of which any body may speak.

    :raises errors.InvalidInput: also when it is no JSON
    """
    _ = request.document
    _refuse("node-create")


def delete(request: ComputeRequest, id: str) -> Any:
    """Refuse to delete a node."""
    _refuse("node-delete")


def add_interface(request: ComputeRequest, id: str) -> Any:
    """Refuse to give a node an interface."""
    _refuse("port-create")


def remove_interface(request: ComputeRequest, id: str) -> Any:
    """Refuse to take an interface from a node."""
    _refuse("port-delete")


def _refuse(command: str) -> NoReturn:
    raise errors.InvalidInput(f"Command not supported. Please use Ironic command {command} to perform this action.")
