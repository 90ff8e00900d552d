"""mininova: OpenStack Nova's control plane, small enough to read and real enough to use.

Start with the README: it has the map of the source in the order of one boot.
"""

__version__ = "0.1.0"
