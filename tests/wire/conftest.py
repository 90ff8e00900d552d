"""The fixture ``bench`` runs each test of this folder over both transports."""

from tests.fixtures.rpc_bench import bench

__all__ = ["bench"]
