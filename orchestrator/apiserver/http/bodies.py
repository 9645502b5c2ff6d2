"""Request bodies: bytes of JSON, YAML or protobuf become the MessagePack that requests carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from orchestrator.api import jsontext, protobuf
from orchestrator.api.jsontext import Parsed, TextError
from orchestrator.api.protobuf import ProtobufError
from orchestrator.apimachinery import errors
from orchestrator.apiserver.goword import TYPE_META, word_of
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
        raise errors.status(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    return found


def encode_body(body: bytes, content_type: str, resource_kind: str) -> tuple[bytes, list[str]]:
    """MessagePack of the body, and its duplicate fields. Raises BadRequest, UnsupportedMediaType."""
    kind = parse_media_type(content_type).type if content_type else JSON
    if not body and resource_kind == "":
        return b"", []
    if kind not in ACCEPTED_BODIES and kind not in ("text/yaml", "application/x-yaml"):
        raise errors.unsupported_media_type(ACCEPTED_BODIES)
    try:
        value, problems = _parsed(body, kind)
    except errors.StatusError as wrong:
        raise unrecognized(body, kind, resource_kind, wrong.message) from wrong
    if resource_kind and not isinstance(value, dict):
        raise unrecognized(body, JSON, resource_kind, f"json: cannot unmarshal {word_of(value)} into {TYPE_META}")
    return pack(value), problems


def unrecognized(body: bytes, kind: str, resource_kind: str, why: str) -> errors.StatusError:
    """A body that shows no object at all."""
    must = f" (must be of type {resource_kind})" if resource_kind else ""
    shown = body.decode("utf-8", "replace") if kind == JSON and body.lstrip().startswith(b"{") else body.hex()
    if kind == JSON:
        why = "couldn't get version/kind; json parse error: " + GO_WORDS.get(why.partition(": line")[0], why)
    return errors.bad_request(f"the object provided is unrecognized{must}: {why} ({shown or '<empty>'})")


GO_WORDS = {
    "json: unexpected end of data": "unexpected end of JSON input",
    "json: Input is a zero-length, empty document": "unexpected end of JSON input",
}
"""What our parser and Go's call the same thing."""


def encode_patch(body: bytes, kind: PatchType) -> tuple[bytes, list[str]]:
    try:
        value, problems = _parsed(body, YAML if kind is PatchType.APPLY else JSON)
    except errors.StatusError as wrong:
        raise malformed_patch(kind, wrong) from wrong
    return pack(value), problems


def malformed_patch(kind: PatchType, wrong: errors.StatusError) -> errors.StatusError:
    """Each patch has a decoder of its own, and says so in its own words."""
    if kind is PatchType.MERGE:
        return errors.bad_request("invalid JSON patch")
    if kind is PatchType.APPLY:
        return errors.bad_request(f"error encoding patch: {wrong.message}")
    return errors.bad_request(
        f"error decoding patch: {GO_WORDS.get(wrong.message.partition(': line')[0], wrong.message)}"
    )


def _parsed(body: bytes, kind: str) -> tuple[Any, list[str]]:
    try:
        if kind == PROTOBUF:
            return protobuf.decode(body), []
        parsed = _parser(kind)(body)
    except (TextError, ProtobufError) as wrong:
        raise errors.bad_request(str(wrong)) from wrong
    return parsed.value, list(parsed.duplicates)


def pack(value: Any) -> bytes:
    """Raises BadRequest for what MessagePack cannot carry: integers beyond 64 bits."""
    try:
        return _encode(value)
    except (OverflowError, ValueError) as wrong:
        raise errors.bad_request(f"the body of the request holds a number out of range: {wrong}") from wrong


def _parser(kind: str) -> Callable[[bytes], Parsed]:
    if kind == JSON:
        return jsontext.parse_strict
    from orchestrator.api import yamltext  # 40 ms that a start does without

    return yamltext.parse_strict
