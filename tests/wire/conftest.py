"""The fixture ``bench`` runs each test of this folder over every transport."""

from tests.fixtures.rpc_bench import bench

__all__ = ["bench"]
