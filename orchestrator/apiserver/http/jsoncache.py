"""JSON of stored objects, made at the first demand and kept within a bound."""

from __future__ import annotations

from functools import lru_cache

import orjson

from orchestrator.apimachinery.encoded import Encoded, Object, decode_part

MAX_BYTES = 8 * 1024 * 1024
"""JSON that is kept; when it is full the older half goes."""

MAX_RESTS = 512
"""Rests kept as JSON, some 2 KB each."""

Key = tuple[int, bytes, str]
"""Revision, metadata and the version served: one revision may be seen in two forms."""


class JsonCache:
    """Two generations: what was asked for since the last turn survives it."""

    def __init__(self, limit: int = MAX_BYTES) -> None:
        self._limit = limit // 2
        self._young: dict[Key, bytes] = {}
        self._old: dict[Key, bytes] = {}
        self._bytes = 0

    def get(self, encoded: Encoded, version: str) -> bytes:
        if not encoded.revision:
            return to_json(encoded)
        key = (encoded.revision, encoded.metadata, version)
        found = self._young.get(key)
        if found is not None:
            return found
        found = self._old.get(key) or to_json(encoded)
        if self._bytes + len(found) > self._limit:
            self._old, self._young, self._bytes = self._young, {}, 0
        self._young[key] = found
        self._bytes += len(found)
        return found


def to_json(encoded: Encoded) -> bytes:
    """As ``orjson.dumps(ordered(encoded.decode()))`` writes it, what pods of one template share written once."""
    head, tail = _of_rest(encoded.rest)
    metadata = orjson.dumps(encoded.decode_metadata())
    if encoded.status:
        return b"".join((head, metadata, tail, b',"status":', orjson.dumps(encoded.decode_status()), b"}"))
    return b"".join((head, metadata, tail, b"}"))


@lru_cache(MAX_RESTS)
def _of_rest(rest: bytes) -> tuple[bytes, bytes]:
    """The JSON before and after the metadata: kind and apiVersion, then the rest."""
    obj = decode_part(rest)
    named = {key: obj.pop(key) for key in ("kind", "apiVersion") if key in obj}
    head = orjson.dumps(named)[:-1] + (b"," if named else b"") + b'"metadata":'
    return head, b"," + orjson.dumps(obj)[1:-1] if obj else b""


def ordered(obj: Object) -> Object:
    """Kind and apiVersion first, as Kubernetes writes them."""
    head: Object = {key: obj[key] for key in ("kind", "apiVersion") if key in obj}
    head.update(obj)
    return head
