"""What a client may send to either HTTP server: a real one in a process of its own, with short timeouts.

eventlet's server calls the application when a head is complete, so the application gets the error of a broken body;
waitress calls it when a body is complete, and refuses a broken one by itself.
"""

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from mininova.service import concurrency

PATIENCE = 30.0  # seconds, for events that take a moment
IDLE_S = 20.0  # seconds that the servers give a client for its next byte

# It answers with what it read of a request; /starve uses up the process's file descriptors, /feed frees them,
# /hold/PORT # works for as long as a connection to that port is open, and /big is more than a socket holds.
PROGRAM = """
import mininova.cmd
import os, resource, signal, socket, sys, threading
from mininova.service import concurrency
from mininova.service.http_bounds import Bounds
from mininova.service.supervised import StopSignals

def limit(files):
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

def app(environ, start_response):
    where = environ["PATH_INFO"]
    if where in ("/starve", "/feed"):
        limit(len(os.listdir("/proc/self/fd")) - 1 if where == "/starve" else 1000)
    if where == "/stop":
        os.kill(os.getpid(), signal.SIGTERM)
        stopping.wait()
    try:
        took = str(len(environ["wsgi.input"].read()))
    except (OSError, ValueError) as error:
        took = type(error).__name__
    if where.startswith("/hold/"):
        with socket.create_connection(("127.0.0.1", int(where.removeprefix("/hold/")))) as holder:
            holder.recv(1)
    answer = f"{environ['REQUEST_METHOD']} {where} {took};".encode()
    if where == "/address":
        answer = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']};".encode()
    if where == "/big":
        answer = b"x" * 20_000_000
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]

limit(1000)
stopping = threading.Event()
signals = StopSignals()
bounds = Bounds(
    connections=3, idle_s=float(sys.argv[1]), head_s=0.5, body_s=0.5, slowest_bytes_per_s=1e5,
    max_body_bytes=1_000_000, max_held_bytes=1_500_000,
)
server = concurrency.make().serve_http("127.0.0.1", 0, app, bounds)
print(server.port, flush=True)
signals.wait()
threading.Thread(target=stopping.set).start()
sys.exit(not server.stop(timeout=30.0))
"""


def start(kind: str) -> subprocess.Popen[str]:
    environment = {**os.environ, concurrency.VARIABLE: kind}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(IDLE_S)], env=environment, stdout=subprocess.PIPE, text=True
    )


def said_port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


@pytest.fixture(scope="module", params=concurrency.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Give each kind of threads in turn."""
    return str(request.param)


@contextlib.contextmanager
def running(kind: str) -> Iterator[int]:
    process = start(kind)
    yield said_port(process)
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def port(kind: str) -> Iterator[int]:
    """Start a server, and give its port."""
    with running(kind) as port:
        yield port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def answers(port: int, said: bytes) -> bytes:
    """Send something, and nothing more; give all that comes until the server closes the connection."""
    with connect(port) as connection:
        connection.sendall(said)
        with contextlib.suppress(OSError):  # it may have closed the connection already
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def ask(connection: socket.socket, path: str) -> bytes:
    """Send a request, and give the body of the answer."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return until_end(connection)


def broken(kind: str, heard: bytes, status: bytes, *errors: bytes) -> bool:
    """Tell whether a broken body was refused with a status, or with one of these errors in the application."""
    if kind == concurrency.THREADS:
        return b" %s " % status in heard.partition(b"\r\n")[0]
    return any(b"POST / %s;" % error in heard for error in errors)


def until_hung_up(connection: socket.socket, end: bytes) -> bytes:
    """Read until the server closes the connection, or has sent a last text."""
    heard = b""
    while not heard.endswith(end) and (piece := connection.recv(4096)):
        heard += piece
    return heard


def until_end(connection: socket.socket) -> bytes:
    heard = b""
    while not heard.endswith(b";"):
        piece = connection.recv(4096)
        assert piece, heard
        heard += piece
    return heard.partition(b"\r\n\r\n")[2]


def test_requests_in_a_row_are_answered_in_a_row(port: int) -> None:
    """Pipelined requests each get an answer, for either form of a body's length."""
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
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding:\r\n chunked",
        b"X: y\rContent-Length: 5",
        b"X: y\0z",
        b"no colon\r\nContent-Length: 5",
        b"Host: a\r\nHost: b",
    ],
)
def test_a_length_that_can_be_read_in_two_ways_is_refused(port: int, head: bytes) -> None:
    """A proxy might read such a head otherwise: it gets 400, and what follows is not read as a request."""
    heard = answers(port, b"POST / HTTP/1.1\r\n" + head + b"\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert heard.startswith(b"HTTP/1.")
    assert b" 400 " in heard.partition(b"\r\n")[0]
    assert b"smuggled" not in heard


def test_chunks_are_for_http_1_1(port: int) -> None:
    """HTTP/1.0 has no chunks, so an old proxy may take them for requests."""
    head = b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
    heard = answers(port, head + b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
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
        b"0\r\nT: " + b"x" * 5000 + b"\r\n\r\n",
        b"5\r\nhello\r\n\r\n0\r\n\r\n",
    ],
)
def test_broken_chunks_end_the_connection(kind: str, port: int, body: bytes) -> None:
    """After a malformed chunk, the connection gets an error and is not read further."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    heard = answers(port, head + body + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert broken(kind, heard, b"400", b"ChunkReadError", b"OSError")
    assert b"smuggled" not in heard


def test_a_head_has_its_time(port: int) -> None:
    """A client that sends a head byte by byte is disconnected at a deadline, though no single wait was long."""
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
def test_a_body_has_its_time(kind: str, port: int, coding: bytes) -> None:
    """A body that does not come in time is an error."""
    with connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + coding + b"\r\n\r\n")
        assert broken(kind, until_hung_up(connection, b"POST / TimeoutError;"), b"408", b"TimeoutError")


def test_a_connection_that_is_worked_for_makes_no_room(port: int) -> None:
    """When all that there may be are being worked for, the next one waits, and is served when one has its answer."""
    with contextlib.ExitStack() as all_:
        holder = all_.enter_context(socket.create_server(("127.0.0.1", 0)))
        first, second, third = (all_.enter_context(connect(port)) for _ in range(3))
        held = [holder]
        for connection in (first, second, third):
            connection.sendall(b"GET /hold/%d HTTP/1.1\r\nHost: x\r\n\r\n" % holder.getsockname()[1])
            held.append(all_.enter_context(holder.accept()[0]))
        fourth = all_.enter_context(connect(port))
        fourth.sendall(b"GET /waiting HTTP/1.1\r\nHost: x\r\n\r\n")
        assert select.select([first, second, third, fourth], [], [], 0.2)[0] == []
        for each in held:
            each.close()
        assert until_end(fourth) == b"GET /waiting 0;"
        for connection in (first, second, third):
            assert until_hung_up(connection, b";").endswith(b";")


@pytest.mark.parametrize(
    "saying",
    [
        b"",
        b"GET / HTTP/1.1\r\nX: ",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
    ],
    ids=["nothing", "half a head", "no body"],
)
def test_the_client_that_keeps_us_waiting_longest_makes_room(port: int, saying: bytes) -> None:
    """When all places are taken, the next client gets that of the one that should have said something first."""
    with connect(port) as slow:
        slow.sendall(saying)  # and it is read before those who come now are
        with connect(port) as second, connect(port) as third:
            assert [ask(each, "/in") for each in (second, third)] == [b"GET /in 0;"] * 2
            with connect(port) as fourth:
                assert ask(fourth, "/in") == b"GET /in 0;"
                assert [ask(each, "/in") for each in (second, third)] == [b"GET /in 0;"] * 2
        with contextlib.suppress(ConnectionError):
            until_hung_up(slow, b"never")


def test_clients_that_take_no_answer_make_room(port: int) -> None:
    """The next client need not wait until the others, who read nothing, have had their time."""
    with contextlib.ExitStack() as all_:
        for _ in range(3):
            all_.enter_context(connect(port)).sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        fourth, began = all_.enter_context(connect(port)), time.monotonic()
        assert ask(fourth, "/in") == b"GET /in 0;"
        assert time.monotonic() - began < IDLE_S - 1


def test_a_head_that_breaks_off_is_no_request(port: int) -> None:
    """Nothing is done of a request whose headers did not all come."""
    heard = answers(port, b"GET /cut HTTP/1.1\r\nX: y")
    assert b"cut" not in heard


def test_a_shortage_of_files_passes(kind: str) -> None:
    """A process without free file descriptors serves again when some are free: eventlet's own server would have ended.

    No client of another test is just leaving it, and leaves a descriptor free.
    """
    with running(kind) as port, connect(port) as inside:
        assert ask(inside, "/starve") == b"GET /starve 0;"
        with connect(port) as outside:
            outside.sendall(b"GET /at-last HTTP/1.1\r\nHost: x\r\n\r\n")
            assert ask(inside, "/in") == b"GET /in 0;"
            assert ask(inside, "/feed") == b"GET /feed 0;"
            assert until_end(outside) == b"GET /at-last 0;"


def test_a_url_may_name_the_server(port: int) -> None:
    """An absolute URL, as clients send to proxies, is read by its path; a target without a path is 400."""
    assert b"GET /a 0;" in answers(port, b"GET http://elsewhere.example/a HTTP/1.1\r\nHost: x\r\n\r\n")
    for target in (b"a", b"*", b"http://x", b"ftp://x/a", b"?a", b"../a"):
        assert b" 400 " in answers(port, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n").partition(b"\r\n")[0]


def test_the_application_learns_where_a_request_came_in(port: int) -> None:
    """The name and port of the server are those of its end of the connection, whatever Host the client names."""
    with connect(port) as connection:
        assert ask(connection, "/address").decode() == f"127.0.0.1:{port};"


def test_a_refusal_names_no_python(port: int) -> None:
    """A malformed request is refused without naming the server's software."""
    heard = answers(port, b"GET / HTTP/9\r\n\r\n")
    assert b" 400 " in heard
    assert b"Python" not in heard


def test_a_stopping_server_finishes_what_it_began(kind: str) -> None:
    """It accepts no connection, closes idle ones, and answers the request under way."""
    process = start(kind)
    port = said_port(process)
    with connect(port) as idle, connect(port) as busy:
        assert ask(idle, "/in") == b"GET /in 0;"
        assert ask(busy, "/stop") == b"GET /stop 0;"
        assert idle.recv(100) == b""
    assert process.wait(PATIENCE) == 0
    assert process.stdout is not None
    process.stdout.close()
    with pytest.raises(ConnectionRefusedError):
        connect(port)


def test_the_bodies_that_waitress_holds_are_limited() -> None:
    """A body is whole before the application sees it: the size of one, and of all together, is limited."""
    process = start(concurrency.THREADS)
    port = said_port(process)
    head = b"POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    assert b" 413 " in answers(port, head % 1_000_001)
    with connect(port) as first, connect(port) as second:
        for connection in (first, second):
            connection.sendall(head % 1_000_000 + b"x" * 800_000)
        full, _, _ = select.select([first, second], [], [], PATIENCE)
        assert b" 413 " in full[0].recv(1000)
        (other,) = {first, second} - set(full)
        other.sendall(b"x" * 200_000)
        assert until_end(other) == b"POST /in 1000000;"
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert process.stdout is not None
    process.stdout.close()
