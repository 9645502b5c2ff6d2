from __future__ import annotations

import asyncio

import pytest

from orchestrator.store.gateway.http import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_PIPELINED, Connection, Request
from tests.store.gateway.wire import Wire

POST = b"POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"


def echo(request: Request) -> None:
    request.answer(request.path + b" " + request.body)


def connected(serve=echo) -> Wire:  # type: ignore[no-untyped-def]
    return Wire(Connection(serve, lambda _: None))


def test_a_request_in_any_pieces_is_the_same_request() -> None:
    whole = connected()
    whole.feed(POST)
    pieces = connected()
    for position in range(len(POST)):
        pieces.feed(POST[position : position + 1])
    assert pieces.written == whole.written
    assert whole.bodies() == [b"/v3/kv/put body"]


async def test_early_requests_are_answered_in_their_order() -> None:
    requests: list[Request] = []
    wire = connected(requests.append)
    wire.feed(POST.replace(b"body", b"1111") + POST.replace(b"body", b"2222") + POST.replace(b"body", b"3333"))
    for number in range(3):
        assert len(requests) == number + 1, "one at a time"
        requests[number].answer(requests[number].body)
        await asyncio.sleep(0)
    assert wire.bodies() == [b"1111", b"2222", b"3333"]


async def test_a_flood_of_early_requests_stops_the_reading_until_they_are_served() -> None:
    requests: list[Request] = []
    wire = connected(requests.append)
    wire.feed(POST * (MAX_PIPELINED + 1))
    assert not wire.reading
    requests[0].answer(b"")
    assert wire.reading


def test_a_client_that_wants_to_close_is_closed() -> None:
    wire = connected()
    wire.feed(POST.replace(b"Host: x", b"Connection: close"))
    assert wire.closed
    assert b"Connection: close" in wire.written


def test_a_client_that_asks_may_send_its_body() -> None:
    wire = connected()
    wire.feed(POST.replace(b"Host: x", b"Expect: 100-continue")[:-4])
    assert wire.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.feed(b"body")
    assert wire.bodies()[-1] == b"/v3/kv/put body"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01 this is TLS", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (POST.replace(b"Content-Length: 4", b"Content-Length: -4"), 400),
        (POST.replace(b"Content-Length: 4", b"Content-Length: 4\r\nContent-Length: 5"), 400),
        (POST.replace(b"Content-Length: 4", b"Content-Length: 4\r\nTransfer-Encoding: chunked"), 400),
        (b"GET /" + b"x" * MAX_HEADER_BYTES + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"Many: " + b"x" * MAX_HEADER_BYTES + b"\r\n\r\n", 431),
        (POST.replace(b": 4", b": %d" % (MAX_BODY_BYTES + 1)) + b"x" * MAX_BODY_BYTES, 413),
        (b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHost: x\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused_and_hung_up_on(sent: bytes, status: int) -> None:
    wire = connected()
    wire.feed(sent)
    assert wire.closed
    assert wire.statuses()[-1] == status


def test_a_client_that_goes_leaves_nothing_behind() -> None:
    gone: list[Connection] = []
    requests: list[Request] = []
    connection = Connection(requests.append, gone.append)
    wire = Wire(connection)
    wire.feed(POST)
    connection.connection_lost(None)
    requests[0].answer(b"late")
    assert wire.written == b""
    assert gone == [connection]
