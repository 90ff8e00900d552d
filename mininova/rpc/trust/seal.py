"""Tell a cast of ours that comes back from a forged one.

A server that refuses a cast sends it back whole, so that its sender need not keep it; but the sender must recognize it.
Each cast carries a seal that only its sender can make, and a rejection brings it back.
"""

import hmac
import secrets

from mininova.rpc.transports.base import Message

SEAL = "x-mininova-seal"


class Seals:
    """The seals of one process, good for as long as it runs."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def seal(self, message: Message, asked: str) -> str:
        """Make the seal of a message.

        :param asked: what it is for, a topic or a host of one
        """
        return f"{self._mac(message.message_id, asked, message.body)} {asked}"

    def opened(self, seal: str, message_id: str, body: bytes) -> str | None:
        """Give what a message was for, if we sealed it; None if we did not, or if it was changed."""
        mac, _, asked = seal.partition(" ")
        genuine = hmac.compare_digest(mac.encode(), self._mac(message_id, asked, body).encode())
        return asked if genuine else None

    def _mac(self, message_id: str, asked: str, body: bytes) -> str:
        return hmac.digest(self._secret, b"\0".join((message_id.encode(), asked.encode(), body)), "sha256").hex()
