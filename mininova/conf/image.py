"""[image]: the stand-in for Glance."""

from oslo_config import cfg

GROUP = cfg.OptGroup("image", help="The stand-in for Glance: where image data is kept, and how much of it.")

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt("directory", default="$state_path/images", help="The folder that keeps the data of images."),
    cfg.IntOpt("max_size", default=1073741824, min=1, help="The most data that one image may have, in bytes."),
]
