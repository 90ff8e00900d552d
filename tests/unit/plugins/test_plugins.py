"""Classes of other distributions, which settings enable by name (mininova/plugins)."""

import configparser
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import documentation
import pytest

from mininova import conf, errors, plugins, rpc
from mininova.notifications import publisher
from mininova.objects import ComputeNode, Flavor, ImageMeta, RequestSpec, Service
from mininova.rpc.transports.memory import MemoryBroker, MemoryTransport
from mininova.scheduler import filters, weights
from mininova.scheduler.host_state import HostState
from mininova.virt.driver import ComputeDriver

PAGE = documentation.ROOT / "docs/plug-ins.md"
SETTING = "[filter_scheduler] enabled_filters"


def configured(*names):
    """Give settings that enable filters."""
    return conf.for_tests("scheduler", **{"filter_scheduler.enabled_filters": ",".join(names)})


ROOM = {"vcpus": 8, "memory_mb": 2048, "local_gb": 100}
FLAVOR = Flavor(flavor_id="1", name="m1", memory_mb=1024, vcpus=1, root_gb=10)
REQUEST = RequestSpec(flavor=FLAVOR, image=ImageMeta(id="7f3d", name="cirros"), project_id="demo")

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install a distribution of one module, as pip leaves it: the module, and a dist-info folder."""
    modules: list[str] = []

    def install(distribution: str, source: str, **groups: Mapping[str, str]) -> None:
        module = distribution.replace("-", "_")
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        registered = configparser.ConfigParser()
        registered.optionxform = str  # type: ignore[assignment]
        registered.read_dict(groups)
        with (info / "entry_points.txt").open("w") as file:
            registered.write(file)

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    for module in modules:
        sys.modules.pop(module, None)


def refusal(*names: str) -> str:
    """Give the error for filters of these names."""
    with pytest.raises(errors.ConfigError) as refused:
        filters.enabled(configured(*names))
    return str(refused.value)


def test_the_filter_of_the_page(install: Install):
    """The filter in docs/plug-ins.md works once it is installed and named."""
    (source,) = (text for _, text in documentation.blocks(PAGE, "python"))
    (packaging,) = (text for _, text in documentation.blocks(PAGE, "toml"))
    project = tomllib.loads(packaging)["project"]
    install(project["name"], source, **project["entry-points"])

    ours, theirs = filters.enabled(configured("ComputeFilter", "SpareHostsFilter"))

    service = Service(binary="nova-compute", host="any", topic="compute")
    nodes = [ComputeNode(host=name, hypervisor_hostname=name, **ROOM) for name in ("spare-1", "host-1")]
    passed = [theirs.host_passes(HostState(node, service, True), REQUEST) for node in nodes]
    assert type(ours).__name__ == "ComputeFilter"
    assert passed == [False, True]


def test_a_weigher(install: Install):
    """A weigher without settings has the multiplier 1."""
    source = "from mininova.scheduler.weights import BaseHostWeigher\nclass Odd(BaseHostWeigher):\n    weigh = None\n"
    install("odd", source, **{plugins.KINDS["weigher"]: {"OddWeigher": "odd:Odd"}})

    settings = conf.for_tests("scheduler", **{"filter_scheduler.enabled_weighers": "RAMWeigher, OddWeigher"})

    assert [weigher.multiplier for weigher in weights.enabled(settings)] == [1.0, 1.0]


def test_a_notification_driver(install: Install):
    """A service sends its notifications to a driver of a plug-in."""
    source = (
        "from mininova.rpc.notify.drivers import Driver\n"
        "HEARD = []\n"
        "class Heard(Driver):\n"
        "    def notify(self, notification):\n"
        "        HEARD.append(notification.event_type)\n"
    )
    install("heard", source, **{plugins.KINDS["notification driver"]: {"heard": "heard:Heard"}})
    peer = rpc.Peer(MemoryTransport(MemoryBroker()), name="compute.host-1")
    settings = conf.for_tests("compute", **{"oslo_messaging_notifications.driver": ["heard"]})

    publisher.make_notifier(settings, peer, peer.name).info({}, "compute.instance.create.end", {})

    assert sys.modules["heard"].HEARD == ["compute.instance.create.end"]


# ---- errors


def test_a_name_of_two(install: Install):
    """If two distributions register one name, the error has both."""
    install("double", "", **{plugins.KINDS["filter"]: {"RamFilter": "double:RamFilter"}})
    said = refusal("RamFilter")
    assert said.startswith(f"{SETTING}: RamFilter is the name of 2 plug-ins: ")
    assert "double:RamFilter (double)" in said
    assert "ram_filter:RamFilter (mininova)" in said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere_at_all", "cannot be loaded from broken:Broken (broken): No module named 'nowhere_at_all'"),
        ("Other = 1", "cannot be loaded from broken:Broken (broken): module 'broken' has no attribute 'Broken'"),
        ("class Broken: pass", "of broken:Broken (broken) is no filter: it is no BaseHostFilter"),
    ],
)
def test_an_unusable_plug_in(install: Install, source: str, said: str):
    """The error has the plug-in, its distribution and the reason."""
    install("broken", source, **{plugins.KINDS["filter"]: {"BrokenFilter": "broken:Broken"}})
    assert refusal("RamFilter", "BrokenFilter") == f"{SETTING}: BrokenFilter {said}"


def test_an_installation_without_entry_points(monkeypatch: pytest.MonkeyPatch):
    """If not even our own are registered, the error says that mininova must be installed again."""
    monkeypatch.setitem(plugins.KINDS, "filter", "mininova.of_a_future_release")
    assert "install mininova again" in refusal("RamFilter")


def test_an_unknown_hypervisor_driver():
    """mininova-compute refuses another driver, and lists those that exist."""
    with pytest.raises(errors.ConfigError, match=r"compute_driver: libvirt is no hypervisor driver; there are fake"):
        plugins.load("hypervisor driver", ["libvirt"], ComputeDriver, "[DEFAULT] compute_driver")
