"""What a client may do to the HTTP server: with a real one in a process of its own, and bounds that are short."""

import contextlib
import select
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

PATIENCE = 10.0  # seconds for what takes a moment

# It answers with what it took of a request; /starve leaves the process no file to open, /feed gives them back.
PROGRAM = """
import logging, os, resource, warnings
warnings.simplefilter("ignore")
import eventlet
from mininova.service import http_server

def limit(files):
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

def app(environ, start_response):
    where = environ["PATH_INFO"]
    if where in ("/starve", "/feed"):
        limit(len(os.listdir("/proc/self/fd")) - 1 if where == "/starve" else 1000)
    try:
        took = str(len(environ["wsgi.input"].read()))
    except (OSError, ValueError) as error:
        took = type(error).__name__
    answer = f"{environ['REQUEST_METHOD']} {where} {took};".encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]

limit(1000)
listener = eventlet.listen(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
http_server.serve(listener, app, http_server.Bounds(connections=3, idle=5.0, head=0.5, body=0.5, rate=1e5))
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Serve, and give the port."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield int(process.stdout.readline())
    process.kill()
    process.communicate()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def answers(port: int, said: bytes) -> bytes:
    """Say something, and nothing more; give all that comes until the server hangs up."""
    with connect(port) as connection:
        connection.sendall(said)
        with contextlib.suppress(OSError):  # it may have hung up already
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def ask(connection: socket.socket, path: str) -> bytes:
    """Ask, and give the body of the answer."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return until_end(connection)


def until_end(connection: socket.socket) -> bytes:
    heard = b""
    while not heard.endswith(b";"):
        piece = connection.recv(4096)
        assert piece, heard
        heard += piece
    return heard.partition(b"\r\n\r\n")[2]


def test_requests_in_a_row_are_answered_in_a_row(port: int) -> None:
    """Who sends several requests at once gets an answer to each, whichever way it says its bodies' lengths."""
    chunked = b"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nTrailer: t\r\n\r\n"
    plain = b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
    heard = answers(port, plain + chunked + b"GET /c HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [heard.count(took) for took in (b"POST /a 5;", b"POST /b 5;", b"GET /c 0;")] == [1, 1, 1]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5, 5",
        b"Content-Length: +5",
        b"Content-Length: 0x5",
        b"Content-Length: 1_0",
        b"Content-Length: " + b"9" * 5000,
        b"Content-Length: -5",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding : chunked",
        b"X: y\rContent-Length: 5",
        b"X: y\0z",
        b"no colon\r\nContent-Length: 5",
        b"Host: a\r\nHost: b",
    ],
)
def test_a_length_that_can_be_read_in_two_ways_is_refused(port: int, head: bytes) -> None:
    """A head that a proxy might understand otherwise gets 400, and what follows is no request to anybody."""
    heard = answers(port, b"POST / HTTP/1.1\r\n" + head + b"\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert heard.startswith(b"HTTP/1.")
    assert b" 400 " in heard.partition(b"\r\n")[0]
    assert b"smuggled" not in heard


@pytest.mark.parametrize(
    "body",
    [
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"1_0\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloand more\r\n0\r\n\r\n",
        b"5" + b" " * 4200 + b"\r\nhello\r\n0\r\n\r\n",
        b"f" * 17 + b"\r\nhello\r\n0\r\n\r\n",
        b"\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"8\r\nhello",
    ],
)
def test_broken_chunks_end_the_connection(port: int, body: bytes) -> None:
    """After a chunk of no form the application hears of it, and nothing of that connection is read any more."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    heard = answers(port, head + body + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"POST / ChunkReadError;" in heard or b"POST / OSError;" in heard
    assert b"smuggled" not in heard


def test_a_head_has_its_time(port: int) -> None:
    """Who begins a request and goes on byte by byte is hung up on, though no single wait was long."""
    with connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        connection.settimeout(0.1)
        heard = None
        while heard is None:
            try:
                connection.sendall(b"y")
                heard = connection.recv(100)
            except TimeoutError:
                continue
            except ConnectionError:
                heard = b""
        assert heard == b""


@pytest.mark.parametrize("coding", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_a_body_has_its_time(port: int, coding: bytes) -> None:
    """A body that does not come ends, for the application, in an error."""
    with connect(port) as connection:
        connection.sendall(b"POST /slow HTTP/1.1\r\n" + coding + b"\r\n\r\n")
        assert until_end(connection) == b"POST /slow TimeoutError;"


def test_there_are_so_many_places(port: int) -> None:
    """Beyond so many connections the next one waits, and is served when another has gone."""
    first, second, third, fourth = (connect(port) for _ in range(4))
    for connection in (first, second, third):
        assert ask(connection, "/in") == b"GET /in 0;"
    fourth.sendall(b"GET /waiting HTTP/1.1\r\nHost: x\r\n\r\n")
    assert ask(first, "/in") == b"GET /in 0;"
    assert select.select([fourth], [], [], 0)[0] == []
    second.close()
    assert until_end(fourth) == b"GET /waiting 0;"
    for connection in (first, third, fourth):
        connection.close()


def test_a_shortage_of_files_passes(port: int) -> None:
    """A process that may open no more files serves again once it may: eventlet's own server would have ended."""
    with connect(port) as inside:
        assert ask(inside, "/starve") == b"GET /starve 0;"
        with connect(port) as outside:
            outside.sendall(b"GET /at-last HTTP/1.1\r\nHost: x\r\n\r\n")
            assert ask(inside, "/in") == b"GET /in 0;"
            assert ask(inside, "/feed") == b"GET /feed 0;"
            assert until_end(outside) == b"GET /at-last 0;"


def test_a_url_may_name_the_server(port: int) -> None:
    """What a client sends to a proxy is taken for what it means; what is no path at all is refused."""
    assert b"GET /a 0;" in answers(port, b"GET http://elsewhere.example/a HTTP/1.1\r\nHost: x\r\n\r\n")
    for target in (b"a", b"*", b"http://x", b"ftp://x/a", b"?a", b"../a"):
        assert b" 400 " in answers(port, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n").partition(b"\r\n")[0]


def test_a_refusal_names_no_python(port: int) -> None:
    """What is no request is refused without a word on what the server is made of."""
    heard = answers(port, b"GET / HTTP/9\r\n\r\n")
    assert b" 400 " in heard
    assert b"Python" not in heard
