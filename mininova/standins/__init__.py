"""Services that stand in for the rest of OpenStack: each a WSGI application with its own tables and queries."""
