"""A stand-in for Glance: Image v2, as far as real clients need it to boot servers, with the data on disk.

It is a WSGI application of its own, and can be replaced by the real one in mininova/wsgi/api-paste.ini.
"""
