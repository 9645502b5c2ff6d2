"""Continue tokens: where the next page of a list starts, and at which revision.

The text is Kubernetes' own: base64url, without padding, of ``{"v":"meta.k8s.io/v1","rv":N,"start":"..."}``.
"""

from __future__ import annotations

import base64
import binascii
import string
from dataclasses import dataclass

import orjson

from orchestrator.apimachinery import errors

TOKEN_VERSION = "meta.k8s.io/v1"


ALPHABET = frozenset(string.ascii_letters + string.digits + "-_")


@dataclass(frozen=True, slots=True)
class Page:
    """``revision`` to read at (-1: the current one, after an inconsistent continue) and the key to start after."""

    revision: int
    after: str


def encode_token(revision: int, last_key: str, prefix: str) -> str:
    """The token for the keys that sort after ``last_key``."""
    start = last_key.removeprefix(prefix) + "\0"
    text = orjson.dumps({"v": TOKEN_VERSION, "rv": revision, "start": start})
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def decode_token(token: str, prefix: str) -> Page:
    """Raises a BadRequest ``StatusError`` for a token that this server cannot have given."""
    try:
        fields = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error) as wrong:
        raise errors.bad_request(f"invalid continue token: continue key is not valid: {_nonsense(token)}") from wrong
    if not isinstance(fields, dict) or fields.get("v") != TOKEN_VERSION:
        raise errors.bad_request(
            "invalid continue token: continue key is not valid: server does not recognize this encoded version"
        )
    revision, start = fields.get("rv"), fields.get("start")
    if not isinstance(revision, int) or revision == 0:
        raise errors.bad_request(
            "invalid continue token: continue key is not valid: "
            "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"
        )
    if not isinstance(start, str) or not start:
        raise errors.bad_request(
            "invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)"
        )
    if ".." in start.split("/"):
        raise errors.bad_request(f"invalid continue token: continue key is not valid: {start}")
    return Page(revision, prefix + start.removesuffix("\0"))


def _nonsense(token: str) -> str:
    """What Go's decoders say of a token that is no base64 of JSON."""
    for position, letter in enumerate(token):
        if letter not in ALPHABET:
            return f"illegal base64 data at input byte {position}"
    try:
        first = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[:1]
    except binascii.Error:
        return f"illegal base64 data at input byte {len(token) - 1}"
    if first in (b"{", b""):
        return "unexpected end of JSON input"
    shown = first.decode("latin-1")
    shown = shown if shown.isprintable() else f"\\u{ord(shown):04x}"
    return f"invalid character '{shown}' looking for beginning of value"
