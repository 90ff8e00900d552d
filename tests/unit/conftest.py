"""The REST APIs in a process of their own, for the tests of any package that share one process with slow clients."""

from tests.fixtures.rest_process import api, token

__all__ = ["api", "token"]
