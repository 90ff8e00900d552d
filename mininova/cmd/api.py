"""mininova-api: the Compute REST API, and the other services that api-paste.ini puts on the same port.

It answers before the database and the broker are there, so that its health can be asked for.
"""

import sys
from functools import partial

from oslo_config.cfg import ConfigOpts

from mininova.cmd.database import open_database, recorder, registered
from mininova.cmd.launch import launch
from mininova.db import identities
from mininova.db.schema import NOVA
from mininova.manage.standins import installed
from mininova.plugins.paste import paste_file
from mininova.service import log
from mininova.service.http_bounds import Bounds
from mininova.service.operation_ends import OperationEnds
from mininova.service.process import Process
from mininova.service.rejections import Rejections
from mininova.trust.directory import Directory
from mininova.wsgi.deploy import Parts, World, load_app
from mininova.wsgi.rules import Rules


def build(conf: ConfigOpts, world: World | None = None) -> Process:
    """Make an api of real parts.

    :param world: the cloud that it is a part of, where that is one process
    """
    database = open_database(conf)
    directory = Directory(identities.reader(database))
    process = Process(conf, "api", directory=directory, registered=registered(database))
    process.on_rejected(Rejections(OperationEnds(conf, database, process.notifier, process.name)))
    parts = Parts(
        conf, database, process.peer, process.notifier, process.reporter, process.observation.spans,
        aside=process.threads.aside, spawn=process.threads.spawn, working_for=log.working_for,
        rules=Rules() if conf.control.token else None, world=world,
    )  # fmt: skip
    app = load_app(paste_file(conf.api.paste_config), "mininova", parts)
    bounds = Bounds(max_body_bytes=max(conf.api.max_request_body_size, conf.image.max_size))
    process.serve_http(app, conf.api.listen, conf.api.port, bounds=bounds)
    process.connect(*(partial(schema.check, database) for schema in (NOVA, *(it.schema for it in installed(conf)))))
    process.heartbeat(recorder(database, process.levels))
    return process


def main() -> None:
    """Run the command."""
    sys.exit(launch("api", build))
