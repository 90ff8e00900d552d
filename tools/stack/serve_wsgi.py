"""Serve a WSGI application of another project, and say when it is up: ``python serve_wsgi.py MODULE PORT``.

The Python is that of .openstack, where nothing of mininova is; so this imports nothing of it.
"""

import importlib
import os
import signal
import socket
import sys

import waitress

THREADS = 1  # for SQLite, which has one writer


def main(module: str, port: str) -> None:
    """Serve ``application`` of a module on this machine's own address until SIGTERM."""
    sys.argv[1:] = []  # Keystone would read our words as its own
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    application = importlib.import_module(module).application
    server = waitress.create_server(application, host="127.0.0.1", port=int(port), threads=THREADS)
    if "NOTIFY_SOCKET" in os.environ:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    server.run()


main(*sys.argv[1:])
