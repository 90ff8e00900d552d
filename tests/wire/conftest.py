"""Each test of the wire runs over the transports that ``bench`` makes."""

from tests.fixtures.rpc_bench import bench

__all__ = ["bench"]
