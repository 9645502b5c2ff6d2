"""Request bodies: bytes of JSON, YAML or protobuf become the MessagePack that requests carry."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.api import jsontext, protobuf, yamltext
from orchestrator.api.jsontext import TextError
from orchestrator.api.protobuf import ProtobufError
from orchestrator.apimachinery import errors
from orchestrator.apiserver.http.negotiation import ACCEPTED_BODIES, JSON, PROTOBUF, YAML, parse_media_type
from orchestrator.client.protocol import PatchType

MAX_BODY_BYTES = 3 * 1024 * 1024
"""As upstream; larger objects would not fit into etcd either."""

_encode = msgspec.msgpack.Encoder().encode
PATCH_TYPES = {f"application/{kind}": kind for kind in PatchType}


def patch_type(content_type: str) -> PatchType:
    """Raises UnsupportedMediaType."""
    found = PATCH_TYPES.get(parse_media_type(content_type).type)
    if found is None:
        raise errors.unsupported_media_type(sorted(PATCH_TYPES))
    return found


def encode_body(body: bytes, content_type: str) -> tuple[bytes, list[str]]:
    """MessagePack of the body, and its duplicate fields. Raises BadRequest, UnsupportedMediaType."""
    kind = parse_media_type(content_type).type if content_type else JSON
    if not body.strip() and kind != PROTOBUF:
        return b"", []
    if kind not in ACCEPTED_BODIES and kind not in ("text/yaml", "application/x-yaml"):
        raise errors.unsupported_media_type(ACCEPTED_BODIES)
    value, problems = _parsed(body, kind)
    return pack(value), problems


def encode_patch(body: bytes, kind: PatchType) -> tuple[bytes, list[str]]:
    value, problems = _parsed(body, YAML if kind is PatchType.APPLY else JSON)
    return pack(value), problems


def _parsed(body: bytes, kind: str) -> tuple[Any, list[str]]:
    try:
        if kind == PROTOBUF:
            return protobuf.decode(body), []
        parsed = jsontext.parse_strict(body) if kind == JSON else yamltext.parse_strict(body)
    except (TextError, ProtobufError) as wrong:
        raise errors.bad_request(str(wrong)) from wrong
    return parsed.value, list(parsed.duplicates)


def pack(value: Any) -> bytes:
    """Raises BadRequest for what MessagePack cannot carry: integers beyond 64 bits."""
    try:
        return _encode(value)
    except (OverflowError, ValueError) as wrong:
        raise errors.bad_request(f"the body of the request holds a number out of range: {wrong}") from wrong
