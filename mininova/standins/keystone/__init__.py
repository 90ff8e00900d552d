"""A stand-in for Keystone: Identity v3, as far as real clients need it to use a cloud.

It is a WSGI application of its own, and a filter (middleware.py) that the other services put before themselves; both
can be replaced by the real ones in mininova/wsgi/api-paste.ini.
"""
