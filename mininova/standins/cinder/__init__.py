"""A stand-in for Cinder: Block Storage v3, as far as real clients need it to make volumes and attach them to servers.

A volume has no data.  Whatever is asked is done before the answer, so a volume that an answer shows as ``available``
is.  It is a WSGI application of its own, and can be replaced by the real one in mininova/wsgi/api-paste.ini.
"""
