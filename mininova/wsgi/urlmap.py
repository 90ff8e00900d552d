"""Which application of the Paste file answers at which path.

This is Paste's own map of paths, but an application with many paths is made once: the metadata service has eleven.
"""

from typing import TYPE_CHECKING

from paste.deploy.loadwsgi import ConfigLoader
from paste.urlmap import URLMap, parse_path_expression

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def composite_factory(loader: ConfigLoader, global_conf: dict[str, str], **paths: str) -> URLMap:
    """Make the Paste composite of a section whose lines are ``path = application``."""
    made: dict[str, WSGIApplication] = {}
    urlmap = URLMap()
    for path, name in paths.items():
        if name not in made:
            made[name] = loader.get_app(name, global_conf=global_conf)
        urlmap[parse_path_expression(path)] = made[name]
    return urlmap
