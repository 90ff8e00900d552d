"""What comes over the wire of a real stack: slow, long, broken and crowded; the others are served all the while."""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fixtures.local_stack import LocalStack
from tests.fixtures.rest_attacker import Wire

PATH = "/compute/v2.1/servers"
HEAD = b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\n"
SOON = 8.0  # seconds that others wait at the most, where a slow client is given twenty


def status_of(heard: bytes) -> int:
    return int(heard.split(maxsplit=2)[1]) if heard else 0


def served(wire: Wire, path: str = PATH) -> float:
    """Be another client, who asks for something and gets it; give how many seconds that took."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", wire.port, timeout=30)
    connection.request("GET", path, headers={"X-Auth-Token": wire.token, "OpenStack-API-Version": "compute 2.96"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    json.loads(answer.read())
    connection.close()
    return time.monotonic() - began


@contextlib.contextmanager
def crowd(wire: Wire, number: int, saying: bytes) -> Iterator[list]:
    """Have many connections that have said something, and say no more."""
    with contextlib.ExitStack() as all_:
        connections = [all_.enter_context(wire.connect()) for _ in range(number)]
        for connection in connections:
            connection.sendall(saying)
        yield connections


@pytest.mark.parametrize(
    "saying",
    [
        b"",
        b"G",
        HEAD + b"X-Slow: ",
        b"POST /identity/v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
        b"POST /identity/v3/auth/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{",
        b"PUT /image/v2/images/x/file HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n",
    ],
    ids=["nothing", "a letter", "half a head", "half a body", "half a chunk", "no image"],
)
def test_two_hundred_slow_clients_keep_no_other_waiting(rest_wire: Wire, saying: bytes) -> None:
    """While two hundred connections say next to nothing, another client is answered at once."""
    with crowd(rest_wire, 200, saying) as slow:
        for _ in range(3):
            for connection in slow:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"a" if saying else b"")
            assert served(rest_wire) < SOON


def test_a_thousand_connections_are_served_in_their_turn(rest_wire: Wire, stack: LocalStack) -> None:
    """Many at once are answered, each of them, and in the end the process holds no connection more than before."""
    api = Path("/proc", str(stack.pids()["mininova-api"]), "fd")
    before = len(list(api.iterdir()))
    with crowd(rest_wire, 1000, b"GET /compute/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as connections:
        heard = [http.client.HTTPResponse(connection) for connection in connections]
        for answer in heard:
            answer.begin()
            assert answer.status == 200
            answer.close()
    assert served(rest_wire) < SOON
    assert len(list(api.iterdir())) < before + 100


def test_many_ask_at_once(rest_wire: Wire) -> None:
    """Forty clients that ask without a pause are all served."""
    with ThreadPoolExecutor(40) as clients:
        assert max(clients.map(lambda _: served(rest_wire), range(200))) < 10


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(2000)) + b"\r\n", 431),
        (HEAD + b"".join(b"X-%d: %b\r\n" % (number, b"y" * 1000) for number in range(90)) + b"\r\n", 400),
        (HEAD + b"X: " + b"y" * 10_000 + b"\r\n\r\n", 400),
        (HEAD + b"y" * 10_000 + b": x\r\n\r\n", 400),
        (HEAD + b"X-Auth-Token: " + b"y" * 8000 + b"\r\n\r\n", 401),
        (b"GET /" + b"y" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /?" + b"y" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"Y" * 10_000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ],
    ids=[
        "many headers",
        "much of headers",
        "long header",
        "long name",
        "long token",
        "long path",
        "long query",
        "long word",
    ],
)
def test_a_flood_of_headers_is_refused(rest_wire: Wire, said: bytes, status: int) -> None:
    """A head has a hundred lines of 8 KiB and 64 KiB in all, and its first line 8 KiB."""
    assert status_of(rest_wire.say(said)) == status


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /compute/ HTTP/1.1\r\n\r\n", 200),
        (b"GET /compute/ HTTP/1.0\r\n\r\n", 200),
        (b"GET /compute/\r\n\r\n", 200),
        (b"GET /compute/ HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", 200),
        (b"GET /compute/ HTTP/1.1\r\nHost: [::1\r\n\r\n", 200),
        (b"GET http://elsewhere.example/compute/ HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /compute/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /compute/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /compute/ HTTP/2.0\r\nHost: x\r\n\r\n", 400),
        (b"GET /compute/ HTTP/1.1 x\r\nHost: x\r\n\r\n", 400),
        (b"GET /compute/ HTTP/x\r\nHost: x\r\n\r\n", 400),
        (b"POST /compute/\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET compute HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"CONNECT example.org:25 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"\x00" * 100 + b"\r\n\r\n", 400),
        (b"EHLO example.org\r\n\r\n", 400),
        (b"GET \r\n\r\n", 400),
        (b"\r\n\r\n", 0),
        (b"", 0),
        (b"GET /compute/%ff HTTP/1.1\r\nHost: x\r\n\r\n", 401),
        (b"GET /compute/\xff HTTP/1.1\r\nHost: x\r\n\r\n", 401),
        (b"GET /identity/v3/users/%ff HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET //compute/ HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /../compute/ HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    ],
    ids=lambda said: repr(said[:40]) if isinstance(said, bytes) else "",
)
def test_what_is_hardly_a_request_has_its_answer(rest_wire: Wire, said: bytes, status: int) -> None:
    """Without a Host, of another century, in another protocol: it is answered or refused, in HTTP."""
    assert status_of(rest_wire.say(said)) == status
    assert served(rest_wire) < SOON


def post(path: str, token: str, *head: bytes, body: bytes = b"") -> bytes:
    lines = (b"Host: x", b"Content-Type: application/json", b"X-Auth-Token: " + token.encode(), *head)
    return b"POST " + path.encode() + b" HTTP/1.1\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_a_long_body_is_refused_whichever_way_it_comes(rest_wire: Wire) -> None:
    """413 comes before the body does, or when too much of it came; 100-continue is not said to what is refused."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    for head, body in (
        ((b"Content-Length: 200000",), b"x" * 200_000),
        ((b"Content-Length: 999999999999",), b""),
        ((b"Content-Length: 999999999999", b"Expect: 100-continue"), b""),
        ((b"Transfer-Encoding: chunked",), chunk * 4 + b"0\r\n\r\n"),
    ):
        heard = rest_wire.say(post(PATH, rest_wire.token, *head, body=body))
        assert status_of(heard) == 413
        assert b"100 Continue" not in heard


def test_a_body_in_chunks_is_a_body(rest_wire: Wire) -> None:
    """Chunks are read as what they are together."""
    said = b'{"keypair": {"name": "chunked"}}'
    body = b"".join(b"1\r\n%c\r\n" % letter for letter in said) + b"0\r\n\r\n"
    heard = rest_wire.say(post("/compute/v2.1/os-keypairs", rest_wire.token, b"Transfer-Encoding: chunked", body=body))
    assert status_of(heard) == 200
    assert b"chunked" in heard


@pytest.mark.parametrize(
    "body", [b"-1\r\nx", b"zz\r\n", b"5\r\n{}", b"ffffffffffffffffffff\r\n", b"1" * 9000], ids=repr
)
def test_broken_chunks_are_the_clients_fault(rest_wire: Wire, body: bytes) -> None:
    """A chunk that is none gets 400, and the connection is over."""
    said = post(PATH, rest_wire.token, b"Transfer-Encoding: chunked", body=body) + HEAD + b"\r\n"
    heard = rest_wire.say(said)
    assert status_of(heard) == 400
    assert heard.count(b"HTTP/1.1") == 1


def test_a_body_that_breaks_off_is_the_clients_fault(rest_wire: Wire) -> None:
    """Of what ends too early nothing is done."""
    assert status_of(rest_wire.say(post(PATH, rest_wire.token, b"Content-Length: 100", body=b"{"))) == 400


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 3\r\nContent-Length: 0", b"Content-Length: 0\r\nTransfer-Encoding: chunked",
     b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding : chunked",
     b"Transfer-Encoding:\x0bchunked", b"X: y\rTransfer-Encoding: chunked", b"Content-Length: +0"],
    ids=repr,
)  # fmt: skip
def test_no_request_is_smuggled(rest_wire: Wire, head: bytes) -> None:
    """Where the end of a body can be seen in two ways, there is one answer, and the connection is over."""
    said = post(PATH, rest_wire.token, head, body=b"0\r\n\r\n") + HEAD + b"\r\n"
    heard = rest_wire.say(said)
    assert status_of(heard) == 400
    assert heard.count(b"HTTP/1.") == 1


def test_a_pipeline_is_answered_in_order(rest_wire: Wire) -> None:
    """A hundred requests in one breath get a hundred answers, each with an id of its own."""
    head = b"HTTP/1.1\r\nHost: x\r\nX-Auth-Token: " + rest_wire.token.encode() + b"\r\n\r\n"
    heard = rest_wire.say(b"".join(b"GET /compute/v2.1/flavors/none-%d- " % number + head for number in range(100)))
    places = [heard.index(b"none-%d-" % number) for number in range(100)]
    assert places == sorted(places)
    assert heard.count(b"HTTP/1.1 404") == 100


@pytest.mark.parametrize("path", [b"/", b"/compute/", b"/identity/", b"/image/", PATH.encode()])
def test_no_answer_repeats_the_host(rest_wire: Wire, path: bytes) -> None:
    """Links begin with the address at which the request came in, whatever the client calls it."""
    said = b"GET " + path + b" HTTP/1.1\r\nHost: evil.example:666\r\nX-Forwarded-Host: evil.example\r\n\r\n"
    heard = rest_wire.say(said)
    assert b"evil" not in heard
    assert b"http://127.0.0.1:%d/" % rest_wire.port in heard


def test_a_header_with_an_underscore_is_not_another(rest_wire: Wire) -> None:
    """``X_Auth_Token`` is no ``X-Auth-Token``, and no header of a client says who asks."""
    forged = (
        b"X_Auth_Token: "
        + rest_wire.token.encode()
        + b"\r\nX-Identity-Status: Confirmed\r\nX-User-Id: a\r\nX-Roles: admin"
    )
    assert status_of(rest_wire.say(HEAD + forged + b"\r\n\r\n")) == 401
    doubled = b"X-Auth-Token: a\r\nX-Auth-Token: " + rest_wire.token.encode()
    assert status_of(rest_wire.say(HEAD + doubled + b"\r\n\r\n")) == 401


def test_an_expression_holds_no_other_up(rest_wire: Wire) -> None:
    """A user has a server with a wicked name, and looks for it with a wicked expression: it takes a moment."""
    assert served(rest_wire, f"{PATH}?name=%28a%2B%29%2B%24") < SOON


def test_no_attack_left_a_fault_in_the_log(stack: LocalStack, rest_wire: Wire) -> None:
    """After all this the api is the same process, and its log has no trace of a fault."""
    assert served(rest_wire) < SOON
    (log,) = stack.home.logs.glob("mininova-api*.log")
    text = log.read_text(errors="replace")
    assert "Traceback" not in text
    assert "failed:" not in text
