"""HTTP, for the five REST services that mininova has: Compute, Identity, Image, Network and Block Storage.

This package is the one place that knows WebOb and Paste.  A service gives it a table of routes and gets a WSGI
application; it hears nothing of instances, tokens or images.
"""

from webob import Response

from mininova.wsgi.application import Application, Filter, Reply
from mininova.wsgi.deploy import Aside, Parts, current_parts, in_place, load_app
from mininova.wsgi.microversion import Microversion
from mininova.wsgi.request import Request
from mininova.wsgi.router import Route, Router

__all__ = [
    "Application", "Aside", "Filter", "Microversion", "Parts", "Reply", "Request", "Response", "Route", "Router",
    "current_parts", "in_place", "load_app",
]  # fmt: skip
