"""One call of ``grpc.health.v1.Health/Check`` over plain HTTP/2: just the frames that it takes (RFC 9113, RFC 7541)."""

from __future__ import annotations

import asyncio

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK, PADDED = 1, 4, 1, 8
MAX_FRAMES = 64
SERVING = b"\x08\x01"


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _field(name: str, value: str) -> bytes:
    """A literal header field without indexing and without Huffman coding."""
    parts = [text.encode() for text in (name, value)]
    if any(len(part) > 126 for part in parts):
        raise ValueError(f"expected a header of at most 126 bytes, found {name}: {value}")
    return b"\x00" + b"".join(bytes((len(part),)) + part for part in parts)


def request(authority: str, service: str) -> bytes:
    """All that the client sends: preface, settings, headers, and the message with the service's name."""
    fields = (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    )
    name = service.encode()
    if len(name) > 126:
        raise ValueError(f"expected a service name of at most 126 bytes, found {len(name)}")
    message = b"\x0a" + bytes((len(name),)) + name if name else b""
    body = b"\x00" + len(message).to_bytes(4, "big") + message
    headers = b"".join(_field(*field) for field in fields)
    opening = PREFACE + _frame(SETTINGS, 0, 0)
    return opening + _frame(HEADERS, END_HEADERS, 1, headers) + _frame(DATA, END_STREAM, 1, body)


async def is_serving(host: str, port: int, service: str) -> bool:
    """Whether the service (empty: the server as a whole) says SERVING. Raises ``OSError`` when nobody answers."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request(f"{host}:{port}", service))
        return await _answer(reader, writer)
    except asyncio.IncompleteReadError as failure:
        raise ConnectionError("the connection ended before the answer") from failure
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    body = b""
    for _ in range(MAX_FRAMES):
        head = await reader.readexactly(9)
        kind, flags = head[3], head[4]
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        if kind == SETTINGS and not flags & ACK:
            writer.write(_frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            writer.write(_frame(PING, ACK, 0, payload))
        elif kind == DATA:
            body += payload[1 : len(payload) - payload[0]] if flags & PADDED else payload
        if kind in (RST_STREAM, GOAWAY) or (kind in (DATA, HEADERS) and flags & END_STREAM):
            break
    return body[5:7] == SERVING
