"""What can go wrong between two processes.

Each error says whether it is *definite*: true only if the work was certainly not done.  Its class says what holds as a
rule.  An error of which more is known says so itself, as a timeout does that ended before anything was sent.
"""

from typing import Any

ACCESS_REFUSED = 403  # AMQP's reply code when a right is missing (AMQP 0-9-1, 1.1, constant access-refused)


class RPCError(Exception):
    """Base of everything this package raises.

    :param message: a sentence for a person
    :param details: what the sentence is about; it travels with the error
    :param definite: whether the work was certainly not done; None is what the class says
    """

    definite: bool = True

    def __init__(self, message: str, *, definite: bool | None = None, **details: Any) -> None:
        self.details = details
        if definite is not None:
            self.definite = definite
        super().__init__(message)


class Undeliverable(RPCError):
    """No queue took the message: that topic or host was never served, or the broker refused the message."""


class MessageRefused(Undeliverable):
    """The broker takes no such message from us, now or later: we may not send there, or it is too large.

    The details are ``target``, the routing key, ``exchange``, and ``code``, AMQP's reply code.
    """


class MessagingTimeout(RPCError):
    """No answer came in time.

    The work may have been done, may be under way, or may never begin; if it is definite, nothing was sent, or its
    receiver has not begun.
    """

    definite = False


class ConnectionLost(RPCError):
    """The broker went away before it confirmed; it may have the message or not, unless it is definite: then not."""

    definite = False


class BrokerUnreachable(RPCError):
    """The broker could not be reached."""


class BrokerRefused(BrokerUnreachable):
    """The broker does not let us in: the credentials, the virtual host or the settings of TLS are wrong."""


class UnsupportedVersion(RPCError):
    """The receiver, or the pin, does not speak the version that the message needs.

    The details are ``service``, ``interface``, ``asked`` and ``offered``.
    """


class NoSuchMethod(RPCError):
    """The interface declares no method of that name; what is not declared cannot be reached."""


class InvalidArguments(RPCError):
    """An argument is missing, unknown or of the wrong type; the message names it."""


class Forbidden(RPCError):
    """The caller may not have this done.

    The details are ``caller``, as the broker vouches for it, ``method`` and ``object``, what it was about.
    """


class MalformedMessage(RPCError):
    """The bytes are no message of this protocol."""


class MessageTooLong(MalformedMessage):
    """There are more bytes than its sender may send."""


class RemoteError(RPCError):
    """The other side failed with an error that has no registered name here.

    The details are ``code``, its class name there, and ``remote_message``.
    """

    definite = False


# What may cross the wire by name although no application registered it.
WIRE: dict[str, type[RPCError]] = {
    cls.__name__: cls
    for cls in (
        UnsupportedVersion, NoSuchMethod, InvalidArguments, Forbidden, MalformedMessage, MessageTooLong,
        MessagingTimeout,
    )
}  # fmt: skip
