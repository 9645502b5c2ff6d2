"""JSON of stored objects, made at the first demand and kept within a bound."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import orjson

from orchestrator.apimachinery.encoded import Encoded, Object, decode_part
from orchestrator.apimachinery.metadata import managed_fields
from orchestrator.client.splice import cut

MAX_BYTES = 8 * 1024 * 1024
"""JSON that is kept; when it is full the older half goes."""

MAX_RESTS = 512
"""Rests kept as JSON, some 2 KB each."""

MAX_METADATA = 1024
"""Metadata kept as JSON, some 2 KB each: a pod that is bound has that with which it was made."""
MAX_ENTRIES = 256
"""Entries of managed fields kept as JSON, some 1 KB each."""
MAX_STATUSES = 256
"""Statuses kept as JSON: that of a pod that does not run yet is that of its like."""
EMPTY_BYTES = 2
"""Of ``{}``."""

_encode = msgspec.msgpack.Encoder().encode
_MANAGED, _NULL = _encode("managedFields"), _encode(None)
_entries = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode

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
    metadata = _of_metadata(encoded.metadata)
    if encoded.revision:
        revision = b'"resourceVersion":"%d"}' % encoded.revision
        metadata = metadata[:-1] + (b"," if len(metadata) > EMPTY_BYTES else b"") + revision
    if encoded.status:
        return b"".join((head, metadata, tail, b',"status":', _of_status(encoded.status), b"}"))
    return b"".join((head, metadata, tail, b"}"))


@lru_cache(MAX_METADATA)
def _of_metadata(part: bytes) -> bytes:
    """The managed fields of replicas are the same for each manager, and most of the bytes."""
    managed = managed_fields(part)
    if not managed or managed == _NULL:
        return orjson.dumps(decode_part(part))
    before, after = cut(part, _MANAGED, managed)
    metadata = decode_part(b"".join((before, _MANAGED, _NULL, after)))
    entries = b",".join([_of_entry(bytes(entry)) for entry in _entries(managed)])
    metadata["managedFields"] = orjson.Fragment(b"[" + entries + b"]")
    return orjson.dumps(metadata)


@lru_cache(MAX_ENTRIES)
def _of_entry(entry: bytes) -> bytes:
    return orjson.dumps(decode_part(entry))


@lru_cache(MAX_STATUSES)
def _of_status(status: bytes) -> bytes:
    return orjson.dumps(decode_part(status))


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
