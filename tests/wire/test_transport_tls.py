"""TLS: we verify the broker's certificate, and show our own."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack import broker, brokers
from stack.brokers import Kind
from stack.certificates import Authority

from mininova.rpc.errors import BrokerUnreachable
from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.amqp.tls import TLS
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Keeper, Lamp


class Guarded:
    """A broker that speaks only TLS and demands a certificate, with the files that fit."""

    def __init__(self, folder: Path, kind: Kind, server: Path) -> None:
        authority, other = Authority(folder, "authority"), Authority(folder, "other")
        cert, key = authority.sign("broker", "127.0.0.1")
        certificates = broker.Certificates(cert, key, authority.cert, wanted=True)
        self.node = PrivateBroker(folder, server, certificates, kind=kind.node)
        self.url = self.node.url
        self.ours = dict(zip(("cert_file", "key_file"), map(str, authority.sign("us", "127.0.0.1")), strict=True))
        self.tls = TLS(ca_file=str(authority.cert), **self.ours)
        self.wrong_authority = TLS(ca_file=str(other.cert), **self.ours)
        self.no_certificate = TLS(ca_file=str(authority.cert))


@pytest.fixture(scope="module")
def guarded(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    """Run such a broker: RabbitMQ, if a test does not name another."""
    folder, kind = Path(tempfile.mkdtemp(prefix="mininova-")), getattr(request, "param", brokers.RABBITMQ)
    server = request.getfixturevalue("rabbitmq_server" if kind == brokers.RABBITMQ else "qpid_jars")
    made = Guarded(folder, brokers.KINDS[kind], server)
    made.node.start()
    yield made
    made.node.kill()
    shutil.rmtree(folder)


@pytest.mark.parametrize("guarded", brokers.KINDS, indirect=True)
def test_calls_over_tls(guarded: Guarded):
    """Large and small bodies, from many threads at once, each way."""
    bench = AMQPBench(guarded.url, tls=guarded.tls)
    bench.serve(Keeper())
    client, answers = bench.client(), set[str]()

    def call(name: str) -> None:
        answers.add(client.get(CTXT, name).name)

    names = {f"{number} " + "x" * size for number, size in enumerate([1, 1000, 20_000, 300_000] * 5)}
    threads = [threading.Thread(target=call, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    client.switch(CTXT, Lamp("desk"))
    bench.close()

    assert answers == names


UNDER_EVENTLET = """
import eventlet; eventlet.monkey_patch()
import sys; sys.path.append(sys.argv[1])
from tests.fixtures.rpc_bench import AMQPBench, Keeper
from mininova.rpc.transports.amqp.tls import TLS
url, ca, cert, key = sys.argv[2:]
bench = AMQPBench(url, tls=TLS(ca_file=ca, cert_file=cert, key_file=key))
bench.serve(Keeper())
client, pool = bench.client(), eventlet.GreenPool()
print(sum(len(lamp.name) for lamp in pool.imap(lambda n: client.get({}, "x" * n), range(100, 1100, 100))))
bench.close()
"""


def test_calls_over_tls_under_eventlet(guarded: Guarded):
    """Our services run under its monkey patch, which replaces sockets and parts of ssl."""
    files = [guarded.tls.ca_file, guarded.tls.cert_file, guarded.tls.key_file]
    command = [sys.executable, "-W", "ignore", "-c", UNDER_EVENTLET, Path(__file__).parents[2], guarded.url, *files]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ, check=False)

    assert (done.stdout, done.stderr) == ("5500\n", "")


def refusal(url: str, tls: TLS) -> str:
    """Try to connect; give the error."""
    with pytest.raises(BrokerUnreachable) as caught:
        AMQPTransport(url, tls=tls).start()
    assert "secret" not in str(caught.value)
    return str(caught.value)


def test_a_broker_of_another_authority_is_not_trusted(guarded: Guarded):
    """We send it nothing, and no password."""
    assert "its certificate is not trusted: " in refusal(guarded.url, guarded.wrong_authority)
    assert "its certificate is not trusted: " in refusal(guarded.url, TLS(**guarded.ours))


def test_a_broker_of_another_name_is_not_trusted(guarded: Guarded):
    """A good certificate with another name is no proof."""
    said = refusal(guarded.url.replace("127.0.0.1", "localhost"), guarded.tls)

    assert "its certificate is not trusted: Hostname mismatch" in said


def test_a_broker_that_wants_a_certificate_says_so(guarded: Guarded):
    """It refuses us without ours; our error says so, even if the broker's own alert is lost with the connection."""
    assert "if it wants a certificate of ours, name its file" in refusal(guarded.url, guarded.no_certificate)


def test_a_broker_with_tls_needs_a_tls_url(guarded: Guarded):
    """The error names the mistake."""
    said = refusal(guarded.url.replace("amqps://", "amqp://"), guarded.tls)

    assert "if it wants TLS, write amqps:// instead of amqp://" in said


def test_a_broker_without_tls_refuses_a_tls_url(guarded: Guarded, private_broker: PrivateBroker):
    """The error names the mistake, and the broker got no password."""
    said = refusal(private_broker.url.replace("amqp://", "amqps://"), guarded.tls)

    assert "it does not speak TLS there; without TLS, write amqp:// instead of amqps://" in said


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"ca_file": "/nowhere/ca.pem"}, "the certificates of /nowhere/ca.pem cannot be used: "),
        ({"cert_file": __file__}, f"the certificate of {__file__} cannot be used: "),
    ],
)
def test_a_file_that_cannot_be_used_is_named(files: dict[str, str], said: str):
    """The error comes before anything is sent."""
    assert said in refusal("amqps://127.0.0.1:1/", TLS(**files))
