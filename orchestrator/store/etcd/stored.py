"""How a value of the store lies in etcd: parts, fields and cause as MessagePack, under a prefix of its own."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import msgspec

from orchestrator.store.protocol import Parts, Value

FIRST_REVISION = 1
"""etcd's empty store stands at revision 1, ours at 0: all revisions are moved by this."""
DEFAULT_PREFIX = "podium/"
REQUESTS = "podium-requests/"
"""Answers to proposals that may be retried, beside the keys: each lives as long as a lease of a minute."""


class Stored(msgspec.Struct, frozen=True, array_like=True):
    parts: Parts
    fields: dict[str, str] = {}
    cause: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Stored)


def encode(parts: Parts, fields: dict[str, str], cause: bytes) -> str:
    return b64encode(_encode(Stored(parts, fields, cause))).decode()


def decode(data: bytes) -> Stored:
    """What somebody else wrote is a value of one part."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Stored((data,))


def b64(key: str) -> str:
    return b64encode(key.encode()).decode()


def key_of(kv: dict[str, Any]) -> str:
    """The key in etcd, as text (what is none is nobody's of ours)."""
    return b64decode(kv["key"]).decode(errors="replace")


def content_of(kv: dict[str, Any]) -> bytes:
    return b64decode(kv.get("value", ""))


def value_of(kv: dict[str, Any], prefix: str) -> Value:
    found = decode(content_of(kv))
    return Value(
        key_of(kv)[len(prefix) :],
        found.parts,
        revision_of(kv["mod_revision"]),
        revision_of(kv["create_revision"]),
        int(kv["version"]),
        found.fields,
        int(kv.get("lease", 0)),
    )


def revision_of(text: str | int) -> int:
    return int(text) - FIRST_REVISION


def end_of(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
