"""A stand-in for Neutron: Networking v2.0, as far as real clients need it to boot servers in the one flat network.

The network, its subnet and its ports are there to be read: the configuration makes the network, and each server has a
port in it.  Security groups are for projects to make.

It is a WSGI application of its own, and can be replaced by the real one in mininova/wsgi/api-paste.ini.
"""
