"""The programs of a stack, and the configuration files that it writes for them."""

import itertools
import re
from urllib.parse import urlsplit

import pytest
from stack import brokers, clouds, ports, services, settings
from stack.errors import StackError
from stack.home import Home
from stack.supervisor import Supervisor

from mininova import conf


@pytest.fixture
def home(tmp_path):
    """Give a home whose path has characters that are special in configuration files."""
    home = Home(tmp_path / "100% of $HOME")
    home.create()
    yield home
    home.remove()


def wanted(home, **environ):
    """Give the settings for some MININOVA_ variables."""
    return settings.from_environment({f"MININOVA_{name}": value for name, value in environ.items()}, home)


def test_every_service_accepts_its_file(home):
    """The services can read the files, with the values that were meant."""
    services.write_configuration(home, wanted(home, API_PORT="18774", COMPUTES="1"))

    for service in ("api", "scheduler", "conductor", "manage", "flow"):
        read = conf.read_files(service, [str(home.etc / "mininova.conf")])
        assert read.host == "ctl-1"
        assert read.flow.enabled
    read = conf.read_files("api", [str(home.etc / "mininova.conf")])
    assert read.api.port == 18774
    assert read.api.listen == ports.LOOPBACK
    assert read.database.connection == f"sqlite:///{home.database}"
    read = conf.read_files("compute", [str(home.etc / "mininova-compute-host-1.conf")])
    assert read.host == "host-1"
    assert read.state_path == str(home.hosts / "host-1")


def test_with_the_control_api_each_service_has_a_way_of_its_own(home):
    """It leads to the broker, and can be cut; the operator's tools go straight there, as all do without that API."""
    asked = services.with_links(wanted(home, COMPUTES="1", BROKER_PORT="25673", CONTROL_API="1"))
    services.write_configuration(home, asked)
    clouds.write(home, asked)

    etc, compute = home.etc, "mininova-compute-host-1"
    urls = {it.stem: re.search(r"transport_url = (\S+)", it.read_text())[1] for it in etc.glob("mininova*.conf")}
    assert {name: urlsplit(url).port for name, url in urls.items()} == {**asked.links, "mininova": 25673}
    assert asked.links.keys() == {*services.SERVICES, services.FLOW, compute}
    control = conf.read_files("api", [str(etc / f"mininova-{name}.conf") for name in ("scheduler", "api")]).control
    assert (control.stack, control.behaviour) == (str(services.faults_socket(home)), str(services.behaviour(home)))
    assert control.token in home.control.read_text()
    followed = {conf.read_files("api", [str(etc / "mininova.conf")]).losses.file,
                conf.read_files("compute", [str(etc / f"{compute}.conf")]).losses.file}  # fmt: skip
    assert followed == {str(services.losses(home))}
    assert home.control.stat().st_mode & 0o077 == 0
    assert {it.name for it in services.programs(home, asked)} == set(services.names(asked))

    assert services.with_links(wanted(home)).links == {}
    services.write_configuration(home, wanted(home))
    assert conf.read_files("api", [str(etc / "mininova.conf")]).losses.file is None
    clouds.write(home, wanted(home))
    assert not home.control.exists()
    assert "MININOVA_CONTROL" not in home.openrc.read_text()


def test_each_further_conductor_is_on_a_controller_of_its_own(home):
    """It reads the shared file and its own, which has its host; as a broker user it is a conductor like the first."""
    asked = wanted(home, CONDUCTORS="3", COMPUTES="1", METRICS_PORT="19200")
    services.write_configuration(home, asked)

    conductors = [it for it in services.programs(home, asked) if it.name.startswith("mininova-conductor")]
    read = [conf.read_files("conductor", [word for word in it.command if word.endswith(".conf")]) for it in conductors]
    assert [it.name for it in conductors] == ["mininova-conductor", "mininova-conductor-2", "mininova-conductor-3"]
    assert {it.command[0] for it in conductors} == {services.executable("mininova-conductor")}
    assert [it.host for it in read] == ["ctl-1", "ctl-2", "ctl-3"]
    assert {urlsplit(it.transport_url).username for it in read} == {"conductor"}
    assert {it.database.connection for it in read} == {f"sqlite:///{home.database}"}
    assert len({it.metrics.port for it in read}) == 3
    assert {it.name for it in services.programs(home, asked)} == set(services.names(asked))


def test_a_computes_file_has_no_database(home):
    """The file of a compute has neither the [database] section nor the URL."""
    services.write_configuration(home, wanted(home, DB_URL="mysql+pymysql://nova:hush@db/nova"))

    for host in ("host-1", "host-2", "host-3"):
        text = (home.etc / f"mininova-compute-{host}.conf").read_text()
        assert "database" not in text
        assert "hush" not in text


def test_a_given_broker_is_used_and_not_run(home):
    """With a broker's URL no broker is started, and every service uses that one."""
    asked = wanted(home, BROKER_URL="amqp://me:mine@10.1.1.1:5672/nova")
    services.write_configuration(home, asked)

    assert brokers.RABBITMQ not in [program.name for program in services.programs(home, asked)]
    for name in ("mininova.conf", "mininova-api.conf", "mininova-compute-host-1.conf"):
        assert "transport_url = amqp://me:mine@10.1.1.1:5672/nova\n" in (home.etc / name).read_text()
    for name in ("mininova.conf", "mininova-compute-host-1.conf"):
        assert "enforce = false\n" in (home.etc / name).read_text()


def test_each_service_is_its_own_broker_user(home):
    """Each service reads a user and a password of its own, and the broker has these users and no others."""
    asked = wanted(home, COMPUTES="2")
    services.write_configuration(home, asked)

    told = services.definitions(home, asked)

    urls = {}
    for program in services.programs(home, asked)[1:]:
        files = [word for before, word in itertools.pairwise(program.command) if before == "--config-file"]
        service = program.name.removeprefix("mininova-").partition("-")[0]
        urls[program.name] = urlsplit(conf.read_files(service, files).transport_url)
    manage = urlsplit(conf.read_files("manage", [str(home.etc / "mininova.conf")]).transport_url)
    users = {url.username for url in (*urls.values(), manage)}
    assert users == {"api", "scheduler", "conductor", "flow", "manage", "compute.host-1", "compute.host-2"}
    assert len({url.password for url in (*urls.values(), manage)}) == len(users)
    assert {user["name"] for user in told["users"]} == users
    assert {user["tags"] for user in told["users"]} == {""}


def test_a_compute_of_many_hosts(home):
    """It reads its hosts and the name of its process, and its broker user has rights on the queues of these hosts."""
    asked = wanted(home, COMPUTES="2", HOSTS_PER_COMPUTE="3")
    services.write_configuration(home, asked)

    read = conf.read_files("compute", [str(services.compute_file(home, "rack-2"))])
    assert (read.host, read.compute.hosts) == ("rack-2", ("rack-2-1", "rack-2-2", "rack-2-3"))
    told = services.definitions(home, asked)["permissions"]
    (right,) = (each["read"] for each in told if each["user"] == "compute.rack-2")
    assert re.search(right, "compute.rack-2-3")
    assert not re.search(right, "compute.rack-1-3")


def test_a_compute_keeps_its_password(home):
    """A start reads it from the compute's file, where host rotate may have put a new one."""
    asked = wanted(home, COMPUTES="1")
    services.write_configuration(home, asked)
    file = services.compute_file(home, "host-1")
    password = urlsplit(conf.read_files("compute", [str(file)]).transport_url).password
    file.write_text(file.read_text().replace(password, "rotated"))

    services.write_configuration(home, asked)

    assert ":rotated@" in file.read_text()


def test_the_flow_can_be_left_out(home):
    """Without the flow there is no collector, and no service reports."""
    asked = wanted(home, FLOW="0")
    services.write_configuration(home, asked)

    assert "mininova-flow" not in [program.name for program in services.programs(home, asked)]
    assert "enabled = false" in (home.etc / "mininova.conf").read_text()


def test_each_service_shows_its_metrics_at_a_port_of_its_own(home):
    """The ports are in a row; services that share a file read their own after it."""
    asked = wanted(home, METRICS_PORT="19200", COMPUTES="2")
    services.write_configuration(home, asked)

    found = {}
    for program in services.programs(home, asked):
        files = [word for before, word in itertools.pairwise(program.command) if before == "--config-file"]
        service = program.name.removeprefix("mininova-").partition("-")[0]
        if service in ("api", "scheduler", "conductor", "compute"):
            found[program.name] = conf.read_files(service, files).metrics.port

    assert found == services.metrics_ports(asked)
    assert sorted(found.values()) == [19200, 19201, 19202, 19203, 19204]


def test_a_paste_file_of_ones_own(home, tmp_path):
    """The api reads the Paste file that is named, and by default the package's."""
    own = tmp_path / "paste.ini"
    own.touch()
    for asked, named in (wanted(home), None), (wanted(home, PASTE_CONFIG=str(own)), str(own)):
        services.write_configuration(home, asked)
        assert conf.read_files("api", [str(home.etc / "mininova.conf")]).api.paste_config == named


def test_consoles_have_a_proxy(home):
    """The computes name its two ports, and it listens there; by default there is neither."""
    assert services.CONSOLES not in [program.name for program in services.programs(home, wanted(home))]
    asked = wanted(home, CONSOLE_PORT="16080", COMPUTES="1")
    services.write_configuration(home, asked)

    assert {it.name for it in services.programs(home, asked)} == set(services.names(asked))
    (proxy,) = (it for it in services.programs(home, asked) if it.name == services.CONSOLES)
    at = conf.read_files("consoleproxy", [proxy.command[-1]])
    assert (at.vnc.novncproxy_port, at.serial_console.serialproxy_port) == (16080, 16081)
    compute = conf.read_files("compute", [str(home.etc / "mininova-compute-host-1.conf")])
    assert (compute.vnc.enabled, compute.vnc.novncproxy_base_url) == (True, "http://127.0.0.1:16080/vnc_auto.html")
    assert (compute.serial_console.enabled, compute.serial_console.base_url) == (True, "ws://127.0.0.1:16081/")


def test_boots_can_wait_for_the_network(home):
    """The controllers have the account as which Nova is told, and a compute has none: it only waits."""
    services.write_configuration(home, wanted(home, COMPUTES="1", API_PORT="18774", VIF_EVENTS="1"))

    for service in ("api", "conductor"):
        read = conf.read_files(service, [str(home.etc / "mininova.conf")])
        network = read.network
        assert network.notify_nova_on_port_status_changes
        assert network.notify_nova_on_port_data_changes
        account = read.keystone_authtoken
        assert (account.auth_url, account.project_name) == ("http://127.0.0.1:18774/identity/v3", "service")
        assert account.password == clouds.password(home, account.username)
    file = home.etc / "mininova-compute-host-1.conf"
    assert conf.read_files("compute", [str(file)]).compute.vif_plugging_timeout == 300
    assert account.password not in file.read_text()


def test_metrics_are_off_by_default(home):
    """No file has a port, and Prometheus has no target."""
    asked = wanted(home)
    services.write_configuration(home, asked)

    assert not [path for path in home.etc.iterdir() if "[metrics]" in path.read_text()]
    assert services.metrics_ports(asked) == {}


def test_with_tls_every_service_trusts_the_authority(home):
    """Every service uses TLS with the broker and trusts its authority; without the switch, neither."""
    for value, scheme, authority in (("1", "amqps", str(home.ca)), ("0", "amqp", None)):
        asked = wanted(home, TLS=value, COMPUTES="1")
        services.write_configuration(home, asked)
        for program in services.programs(home, asked)[1:]:
            files = [word for before, word in itertools.pairwise(program.command) if before == "--config-file"]
            read = conf.read_files(program.name.split("-")[1], files)

            assert (read.transport_url.partition(":")[0], read.oslo_messaging_rabbit.ssl_ca_file) == (scheme, authority)


def test_the_users_behaviour_file_survives_a_start(home):
    """The next start does not overwrite the user's changes of the behaviour file."""
    services.write_configuration(home, wanted(home))
    services.behaviour(home).write_text("rules: [{delay: 5}]\n")

    services.write_configuration(home, wanted(home))

    assert services.behaviour(home).read_text() == "rules: [{delay: 5}]\n"


def test_the_clients_files_are_private_and_hold_both_users(home):
    """clouds.yaml has the two clouds, and only its user can read it."""
    clouds.write(home, wanted(home))

    assert home.clouds.stat().st_mode & 0o077 == 0
    assert home.openrc.stat().st_mode & 0o077 == 0
    text = home.clouds.read_text()
    assert '"mininova"' in text
    assert '"mininova-admin"' in text


def test_a_supervisor_runs_what_it_was_given(home):
    """The supervisor reads its configuration, runs a program with the mark and its socket, and ends with it."""
    supervisor = Supervisor(home)
    asked = wanted(home)
    supervisor.write(services.programs(home, asked))
    assert not supervisor.answers()

    supervisor.launch({"PATH": "/bin:/usr/bin"})
    try:
        assert supervisor.answers()
        names = [status.name for status in supervisor.all()]
        with pytest.raises(StackError, match="rabbitmq cannot be started"):
            supervisor.start([brokers.RABBITMQ])
    finally:
        supervisor.shut_down()

    assert sorted(names) == sorted(program.name for program in services.programs(home, asked))
    assert not supervisor.answers()
