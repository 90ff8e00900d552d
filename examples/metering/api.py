"""What can be asked of the meter server and of its agents: the one module that every program of the project imports."""

from typing import Annotated, Any

import msgspec

from mininova import rpc


class Sample(msgspec.Struct, frozen=True):
    """What a host used between two readings.

    :param id: made once, by the agent: a sample that comes twice is still one sample
    :param amount: in the unit of its meter
    :param at: the end of that time, in seconds since the epoch
    """

    id: str
    host: str
    amount: float
    at: float


class Total(msgspec.Struct, frozen=True):
    """What a host has used in all."""

    host: str
    meter: str
    amount: float
    samples: int


class UnknownHost(rpc.RPCError):
    """Nothing was ever metered on that host."""


class UnknownMeter(rpc.RPCError):
    """An agent has no such meter; the details have those that it has, as ``known``."""


CODEC = rpc.Codec(errors={cls.__name__: cls for cls in (UnknownHost, UnknownMeter)})


class MeterAPI(rpc.Interface):
    """What a meter server can be asked.  1.1: more meters than the processor's."""

    topic, version = "meter", "1.1"

    @rpc.cast(since="1.0")
    def record(self, ctxt: Any, samples: list[Sample], meter: Annotated[str, rpc.since("1.1")] = "cpu") -> None:
        """Count samples; those that were counted before are passed over."""

    @rpc.call(since="1.0", idempotent=True)
    def totals(self, ctxt: Any, host: str | None = None) -> list[Total]:
        """Add up what was counted.

        :param host: None means all
        :raises UnknownHost: when nothing was
        """


class AgentAPI(rpc.Interface):
    """What an agent can be asked: ``AgentAPI(peer).on(host).read(ctxt)``."""

    topic, version = "meter-agent", "1.0"

    @rpc.call(since="1.0", idempotent=True)
    def read(self, ctxt: Any, meter: str = "cpu") -> float:
        """Read a meter now: its count since the host was started.

        :raises UnknownMeter: when the agent does not have it
        """

    @rpc.fanout(since="1.0")
    def set_interval(self, ctxt: Any, seconds: float) -> None:
        """Change how often every agent that hears it reports."""
