"""Every error that a user, an operator or another service may see: one class each.

A class says four things about itself: the HTTP status it has when it reaches the REST API, the sentence a
reader gets, whether a server's owner may read that in a fault, and whether it is *definite*, that is, whether the
operation certainly did not happen.  Over RPC an error travels as its class name and its details; the receiver looks
the name up in REGISTRY, so nothing is ever imported because a message said so.
"""

from typing import Any, ClassVar

REGISTRY: dict[str, type["MininovaError"]] = {}


class MininovaError(Exception):
    """Say what went wrong, with which thing, and remember the details for the other side.

    :param message: the whole sentence; without it the class's template is filled from the details
    :param details: what the template names; they travel with the error
    """

    http_status: ClassVar[int] = 500
    definite: ClassVar[bool] = True
    #: Whether a server's owner may read the sentence, although the failure is ours: it names no address and no file.
    for_owners: ClassVar[bool] = False
    #: What other processes are told instead, where the sentence is for our log; "" tells them the sentence.
    outside: ClassVar[str] = ""
    template: ClassVar[str] = "An error without a description."

    def __init_subclass__(cls) -> None:
        REGISTRY[cls.__name__] = cls

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.details = details
        super().__init__(message if message is not None else self.template.format(**details))


# ---- 400: the request cannot be understood or obeyed


class InvalidInput(MininovaError):
    """The request is wrong in itself."""

    http_status = 400
    template = "Invalid input received: {reason}"


class ConsoleTypeUnavailable(InvalidInput):
    """The instance's host offers no such console."""

    template = "Unavailable console type {console_type}."


class ConsoleTypeInvalid(InvalidInput):
    """The protocol has no such type of console."""

    template = "Invalid console type {console_type}"


class FlavorDiskTooSmall(InvalidInput):
    """The flavor's disk cannot hold the image."""

    template = "Flavor's disk is too small for requested image. Flavor has {flavor_gb} GB, image needs {image_gb} GB."


class FlavorMemoryTooSmall(InvalidInput):
    """The flavor's memory is below what the image asks for."""

    template = "Flavor's memory is too small for requested image. Flavor has {flavor_mb} MB, image needs {image_mb} MB."


class VolumeNotAttached(InvalidInput):
    """No instance has the volume."""

    template = "No volume Block Device Mapping with id {volume_id}."


class VolumeHasManyInstances(InvalidInput):
    """Several instances have the volume, and only one may."""

    template = "Block Device Mapping {volume_id} is a multi-attach volume and is not valid for this operation."


class InvalidBlockDevice(InvalidInput):
    """No instance can have the disks that a request asks for, or they cannot be had."""

    template = "Block Device Mapping is Invalid: {reason}"


class ComputeServiceInUse(InvalidInput):
    """The instance's host is up, so its guest may run there."""

    template = "Compute service of {host} is still in use."


class InvalidVolume(InvalidInput):
    """A volume cannot be given to an instance, or taken from it, as it is."""

    template = "Invalid volume: {reason}"


class ImageNotActive(InvalidInput):
    """The image has no data."""

    template = "Image {image_id} is not active."


# ---- 401 and 403: the caller


class Unauthorized(MininovaError):
    """The caller is not known."""

    http_status = 401
    template = "The request you have made requires authentication."


class NotAllowed(MininovaError):
    """The caller is known and may not do this.  (rpc.Forbidden is a message that a service refuses.)"""

    http_status = 403
    template = "Policy doesn't allow {action} to be performed."


class QuotaExceeded(NotAllowed):
    """The request asks for more than a limit allows."""

    template = "Maximum number of {what} exceeds {limit}"


class TooManyInstances(QuotaExceeded):
    """The project, or the user in it, may have so many instances, cores or MiB of ram, and uses too many already.

    Its detail ``fits`` says how many of the instances that were asked for it may have.
    """

    template = "Quota exceeded for {overs}: Requested {req}, but already used {used} of {allowed} {overs}"


class TooManyServerGroups(QuotaExceeded):
    """The project, or the user in it, may have so many server groups, and has them."""

    template = "Quota exceeded, too many server groups."


class TooManyInGroup(QuotaExceeded):
    """The user may have so many servers in one group, and has them."""

    template = "Quota exceeded, too many servers in group"


class TooManyKeyPairs(QuotaExceeded):
    """The user may have so many key pairs, and has them."""

    template = "Quota exceeded, too many key pairs."


# ---- 404: no such thing, or not yours


class NotFound(MininovaError):
    """There is no such thing, or it is another project's: the answer is the same."""

    http_status = 404
    template = "The resource could not be found."


class ShareNotFound(NotFound):
    """The instance has no such share."""

    template = "Share {share_id} could not be found."


class InstanceNotFound(NotFound):
    """No instance has this uuid."""

    template = "Instance {instance_uuid} could not be found."


class FlavorNotFound(NotFound):
    """No flavor has this id."""

    template = "Flavor {flavor_id} could not be found."


class PortNotFound(NotFound):
    """No port has this id."""

    template = "Port {port_id} could not be found."


class ImageNotFound(NotFound):
    """No image has this id."""

    template = "Image {image_id} could not be found."


class VolumeNotFound(NotFound):
    """No volume has this id."""

    template = "Volume {volume_id} could not be found."


class BlockDeviceNotFound(NotFound):
    """The instance does not have the volume."""

    template = "No volume Block Device Mapping with id {volume_id}."


class KeypairNotFound(NotFound):
    """The user has no keypair of this name."""

    template = "Keypair {name} not found for user {user_id}"


class ServerGroupNotFound(NotFound):
    """No server group has this uuid."""

    template = "Instance group {group_uuid} could not be found."


class ServiceNotFound(NotFound):
    """No service has this id."""

    template = "Service {service_id} could not be found."


class ComputeHostNotFound(NotFound):
    """No compute host has this name or id."""

    template = "Compute host {host} could not be found."


class AggregateNotFound(NotFound):
    """No host aggregate has this id."""

    template = "Aggregate {aggregate_id} could not be found."


class AggregateHostNotFound(NotFound):
    """The host is not in the aggregate."""

    template = "Cannot remove host {host} in aggregate {aggregate_id}"


class IdentityNotFound(NotFound):
    """No broker user of this name was recorded."""

    template = "There is no identity {name}. mininova-manage host add makes one."


class ActionNotFound(NotFound):
    """The instance has no action with this request id."""

    template = "Action for request_id {request_id} on instance {instance_uuid} not found"


# ---- 406, 410, 413, 415: the request's form


class NotAcceptable(MininovaError):
    """The microversion asked for is none that we speak."""

    http_status = 406
    template = "Version {version} is not supported by the API. Minimum is {minimum} and maximum is {maximum}."


class Gone(MininovaError):
    """The operation was removed from Nova's API."""

    http_status = 410
    template = "This resource is no longer available. No forwarding address is given."


class RequestTooLarge(MininovaError):
    """The body is longer than ``[api] max_request_body_size``."""

    http_status = 413
    template = "Request is too large. At most {max_bytes} bytes are taken."


class OverLimit(MininovaError):
    """A project would have more volumes or snapshots than it may (Cinder's status for a quota)."""

    http_status = 413


class UnsupportedMediaType(MininovaError):
    """The body is not JSON, and says so."""

    http_status = 415
    template = "Unsupported Content-Type"


# ---- 429: too much at once


class TooManyRequests(MininovaError):
    """The service is busy with as many requests of this kind as it takes."""

    http_status = 429
    template = "Too many requests. Try again in {retry_after} s."


# ---- 409: true, but not now


class Conflict(MininovaError):
    """The thing is in no state for this."""

    http_status = 409
    template = "The request conflicts with the present state."


class PortInUse(Conflict):
    """An instance, or something else, has the port."""

    template = "Port {port_id} is still in use."


class NetworkFull(Conflict):
    """All addresses of a network that may be lent are."""

    template = "No more IP addresses available on network {network_id}."


class AddressInUse(Conflict):
    """Another port has the address."""

    template = "IP address {address} already allocated in network {network_id}."


class DevicePathInUse(Conflict):
    """Another disk of the instance has the name."""

    template = "The supplied device path ({path}) is in use."


class InstanceInvalidState(Conflict):
    """The instance's state does not allow the operation (states.OPERATIONS says which do)."""

    template = "Cannot '{method}' instance {instance_uuid} while it is in {attr} {state}"

    def __init__(self, message: str | None = None, **details: Any) -> None:
        if message is None and details["state"] is None:
            message = "Instance {instance_uuid} is in an invalid state for '{method}'".format(**details)
        super().__init__(message, **details)


class SharesNotConfigured(Conflict):
    """No host of ours can attach a share."""

    template = "Feature not supported because either compute or instance are not configured correctly."


class UnshelveInstanceInvalidState(Conflict):
    """A zone or a host was named for a shelved instance that has a host still."""

    template = (
        'Specifying an availability zone or a host when unshelving server "{instance_uuid}" with status "{state}" is '
        "not supported. The server status must be SHELVED_OFFLOADED."
    )


class UnshelveHostNotInAZ(Conflict):
    """The host that was named for an instance is not in its zone."""

    template = 'Host "{host}" is not in the availability zone "{availability_zone}".'


class InstanceIsLocked(Conflict):
    """The instance is locked, and the caller may not override a lock."""

    template = "Instance {instance_uuid} is locked"


class InstanceNotReady(Conflict):
    """The instance has no host yet."""

    template = "Instance {instance_uuid} is not ready"


class ComputeServiceUnavailable(Conflict):
    """The instance's host does not answer, or takes no messages."""

    template = "Compute service of {host} is unavailable at this time."


class HostHasIdentity(Conflict):
    """Another compute process stands for this host: two could not be told apart."""

    template = "{name} stands for {host} already."


class FlavorExists(Conflict):
    """The flavor's id or name is taken."""

    template = "Flavor with ID {flavor_id} already exists."


class KeyPairExists(Conflict):
    """The user has a keypair of this name already."""

    template = "Key pair '{name}' already exists."


class AggregateNameExists(Conflict):
    """Another aggregate has the name."""

    template = "Aggregate {name} already exists."


class AggregateHostExists(Conflict):
    """The host is in the aggregate."""

    template = "Aggregate {aggregate_id} already has host {host}."


class InvalidAggregateAction(Conflict):
    """A host cannot be in the zone of an aggregate, or the aggregate has hosts."""

    template = "Unacceptable parameters. Cannot {action} {aggregate_id}. Reason: {reason}."


class InstanceUpdateConflict(Conflict):
    """The row has changed since the caller read it: the update was not made.

    The details say what the row holds: ``actual_task_state``, ``actual_generation``.
    """

    template = (
        "Instance {instance_uuid} was not updated: expected task_state {expected} and generation {generation}, "
        "found task_state {actual_task_state} and generation {actual_generation}."
    )


class InstanceBeingDeleted(InstanceUpdateConflict):
    """The instance is being deleted: a delete wins over every other operation."""


# ---- 5xx and faults: what the control plane could not do


class ImageNotUploaded(MininovaError):
    """The image service did not take the data of an image."""

    http_status = 500
    for_owners = True
    template = "Image {image_id} could not be uploaded: {reason}"


class NotSupported(MininovaError):
    """The hypervisor cannot do this."""

    http_status = 501
    for_owners = True
    template = "The requested functionality is not supported."


class NoValidHost(MininovaError):
    """The filters, or the claims, left no host."""

    for_owners = True
    template = "No valid host was found. {reason}"


class MaxRetriesExceeded(MininovaError):
    """Every attempt at building the instance failed."""

    for_owners = True
    template = (
        "Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures for "
        "instance {instance_uuid}. Last exception: {reason}"
    )


class NoMoreAddresses(MininovaError):
    """The flat network's range is used up."""

    for_owners = True
    template = "No more addresses are available on network {network}."


class InterfaceAttachFailed(MininovaError):
    """The hypervisor could not give the guest a network interface."""

    for_owners = True
    template = "Failed to attach network adapter device to {instance_uuid}"


class VirtualInterfaceCreateFailed(MininovaError):
    """The network service did not plug the ports of an instance in time; another host would not help."""

    for_owners = True
    template = "Build of instance {instance_uuid} aborted: Failed to allocate the network(s), not rescheduling."


class SpawnFailed(MininovaError):
    """The hypervisor could not start the guest."""

    for_owners = True
    template = "Failed to spawn instance {instance_uuid} on {host}: {reason}"


class HypervisorFailed(MininovaError):
    """The hypervisor could not do to a guest what it was asked."""

    for_owners = True
    template = "Failed to {operation} the guest of instance {instance_uuid} on {host}: {reason}"


class GuestNotFound(MininovaError):
    """The hypervisor runs no guest for this instance."""

    http_status = 404
    template = "No guest runs for instance {instance_uuid} on {host}."


class GuestGone(MininovaError):
    """The guest was destroyed while something was being done to it."""

    for_owners = True
    template = "The guest of instance {instance_uuid} was destroyed meanwhile."


class MigrationAborted(MininovaError):
    """A guest was being sent to another host, and is not any more."""

    template = "The live migration of instance {instance_uuid} was aborted."


class OtherServiceUnavailable(MininovaError):
    """Another service of the cloud, such as a real Glance, cannot be asked."""

    http_status = 503
    template = "{service} cannot be asked now."


class DatabaseNotReady(MininovaError):
    """The database has another schema than the code, or none."""

    http_status = 503
    template = "The database {problem}. Run: mininova-manage db upgrade"
    outside = "The database cannot be used now: the log of the service that asked it says why"


class DatabaseAway(DatabaseNotReady):
    """The database cannot be reached now, is busy, or gave a transaction up: it may soon do what it was asked."""


class ConfigError(MininovaError):
    """A setting is wrong: the process refuses to start, quoting it."""

    template = "{problem}"


# ---- mininova-flow


class FlowNotKept(MininovaError):
    """No mininova-flow collect has run here, so there is nothing to show."""

    http_status = 404
    template = (
        "There is no record of the flow in {directory}. Set `[flow] enabled = true` for every service, "
        "and run: mininova-flow collect"
    )


class FlowInUse(MininovaError):
    """Two collectors would write to the same files."""

    http_status = 409
    template = "Another mininova-flow collect already writes to {directory}."


class NotItsName(MininovaError):
    """A browser was led to mininova-flow serve by a name that is not its own."""

    http_status = 421
    template = "This server is not called {name}."


class NoSuchRequest(NotFound):
    """No request that was kept has this id, and none touched a server of this name or uuid."""

    template = "Nothing is known of {wanted}. {hint}"


class NoTerminal(MininovaError):
    """Something draws on a terminal, and its output goes elsewhere."""

    template = (
        "watch draws on a terminal, and there is none: mininova-flow tail prints the same messages, line by line."
    )


class ManyRequests(MininovaError):
    """One picture shows one request, and several were found."""

    template = "A picture shows one request, and {wanted} stands for {ids}: name one of these."


# ---- mininova-manage


class BrokerAdminFailed(MininovaError):
    """The command that administers the broker did not do it."""

    template = "{command} failed: {reason}. `[broker_admin] command` names what administers the broker."


class DefinitionsNotKept(MininovaError):
    """The broker did what was wanted, and would not know it any more after it lost its disk."""

    template = (
        "The broker has done it, but {file}, its `[broker_admin] definitions_file`, could not be changed: {reason}. "
        "Mend that and run the command again."
    )


class NotAllUp(MininovaError):
    """A part of the cloud is not there."""

    template = "{count} of these are down."


class Weaker(MininovaError):
    """A protection against compromised compute nodes is weaker than it should be."""

    template = "{count} of the protections against a compromised compute node are weaker than they should be."


class NoSuchMessage(NotFound):
    """No parked message has this id, or several begin with it."""

    template = "No parked message is called {wanted}: {hint}"
