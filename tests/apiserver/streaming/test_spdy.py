from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

from orchestrator.apiserver.streaming.spdy import (
    DICTIONARY,
    Connection,
    Data,
    Pinged,
    SpdyError,
    StreamOpened,
)


def syn_stream(stream: int, headers: dict[str, str], deflate: Any) -> bytes:
    text = struct.pack(">I", len(headers))
    for name, value in headers.items():
        text += struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(value)) + value.encode()
    block: bytes = deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)
    payload = struct.pack(">IIH", stream, 0, 0) + block
    return struct.pack(">HH", 0x8003, 1) + b"\0" + len(payload).to_bytes(3, "big") + payload


def test_the_dictionary_is_that_of_the_protocol() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_streams_open_with_their_headers_one_compression_for_all() -> None:
    deflate, connection = zlib.compressobj(zdict=DICTIONARY), Connection()
    first = connection.receive(syn_stream(1, {"streamType": "error", "port": "80"}, deflate))
    second = connection.receive(syn_stream(3, {"streamType": "data", "port": "80"}, deflate))
    assert first == [StreamOpened(1, {"streamtype": "error", "port": "80"}, False)]
    assert second == [StreamOpened(3, {"streamtype": "data", "port": "80"}, False)]


def test_a_frame_may_come_byte_by_byte() -> None:
    connection = Connection()
    frame = Connection().data(5, b"hello", last=True)
    events = [event for byte in frame for event in connection.receive(bytes((byte,)))]
    assert events == [Data(5, b"hello", True)]


def test_a_ping_is_given_back_whole() -> None:
    ping = struct.pack(">HH", 0x8003, 6) + b"\0\0\0\4\0\0\0\7"
    assert Connection().receive(ping) == [Pinged(ping)]


def test_another_version_is_refused() -> None:
    with pytest.raises(SpdyError, match="expected SPDY version 3, found 2"):
        Connection().receive(struct.pack(">HH", 0x8002, 6) + b"\0\0\0\4\0\0\0\7")


def test_headers_that_are_no_zlib_are_refused() -> None:
    payload = struct.pack(">IIH", 1, 0, 0) + b"nonsense"
    with pytest.raises(SpdyError):
        Connection().receive(struct.pack(">HH", 0x8003, 1) + b"\0" + len(payload).to_bytes(3, "big") + payload)
