"""The control of a cloud that is there for tests: requests that fail on demand, and a state to begin from again.

``/control`` is a REST API of its own, beside the Compute API, for those who have its token.
"""
