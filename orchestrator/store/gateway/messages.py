"""etcd's v3 requests as its JSON gateway takes them: bytes in base64, 64-bit numbers as text or number.

Field names are those of etcd's protocol (``rpc.proto``); their lowerCamelCase spelling is taken too.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import orjson

from orchestrator.store.gateway.errors import INVALID_ARGUMENT, GatewayError

Name = str | int
"""A value of an enumeration: its name or its number."""
R = TypeVar("R", bound=msgspec.Struct)


class RangeRequest(msgspec.Struct, forbid_unknown_fields=True):
    key: bytes = b""
    range_end: bytes = b""
    limit: int = 0
    revision: int = 0
    sort_order: Name = 0
    sort_target: Name = 0
    serializable: bool = False
    keys_only: bool = False
    count_only: bool = False
    min_mod_revision: int = 0
    max_mod_revision: int = 0
    min_create_revision: int = 0
    max_create_revision: int = 0


class PutRequest(msgspec.Struct, forbid_unknown_fields=True):
    key: bytes = b""
    value: bytes = b""
    lease: int = 0
    prev_kv: bool = False
    ignore_value: bool = False
    ignore_lease: bool = False


class DeleteRangeRequest(msgspec.Struct, forbid_unknown_fields=True):
    key: bytes = b""
    range_end: bytes = b""
    prev_kv: bool = False


class Comparison(msgspec.Struct, forbid_unknown_fields=True):
    key: bytes = b""
    range_end: bytes = b""
    result: Name = 0
    target: Name = 0
    version: int = 0
    create_revision: int = 0
    mod_revision: int = 0
    value: bytes = b""
    lease: int = 0


class RequestOp(msgspec.Struct, forbid_unknown_fields=True):
    """One of the four."""

    request_range: RangeRequest | None = None
    request_put: PutRequest | None = None
    request_delete_range: DeleteRangeRequest | None = None
    request_txn: TxnRequest | None = None


class TxnRequest(msgspec.Struct, forbid_unknown_fields=True):
    compare: list[Comparison] = []
    success: list[RequestOp] = []
    failure: list[RequestOp] = []


class CompactionRequest(msgspec.Struct, forbid_unknown_fields=True):
    revision: int = 0
    physical: bool = False


class LeaseGrantRequest(msgspec.Struct, forbid_unknown_fields=True):
    TTL: int = 0
    ID: int = 0


class LeaseRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Of revoke, keep alive and time to live."""

    ID: int = 0
    keys: bool = False


class WatchCreate(msgspec.Struct, forbid_unknown_fields=True):
    key: bytes = b""
    range_end: bytes = b""
    start_revision: int = 0
    progress_notify: bool = False
    filters: list[Name] = []
    prev_kv: bool = False
    watch_id: int = 0
    fragment: bool = False


class WatchCancel(msgspec.Struct, forbid_unknown_fields=True):
    watch_id: int = 0


class WatchRequest(msgspec.Struct, forbid_unknown_fields=True):
    create_request: WatchCreate | None = None
    cancel_request: WatchCancel | None = None
    progress_request: dict[str, Any] | None = None


class QuotaRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Not etcd's: a flag of its command line there."""

    quota_bytes: int = 0


class MemberAddRequest(msgspec.Struct, rename={"peer_urls": "peerURLs"}):
    peer_urls: list[str]


class MemberRequest(msgspec.Struct, rename={"id": "ID"}):
    id: int


class MoveLeaderRequest(msgspec.Struct, rename={"target_id": "targetID"}):
    target_id: int


class Nothing(msgspec.Struct):
    """A request whose fields do not matter here."""


_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}


def decode(body: bytes, kind: type[R]) -> R:
    """Raises ``GatewayError``."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind, strict=False)
    try:
        made: R = decoder.decode(body or b"{}")
        return made
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return msgspec.convert(_known(orjson.loads(body), kind), kind, strict=False)
    except (msgspec.MsgspecError, orjson.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise GatewayError(INVALID_ARGUMENT, f"expected {kind.__name__}: {error}") from error


def _known(value: Any, kind: type[msgspec.Struct]) -> Any:
    """The fields that ``kind`` has, in the protocol's spelling; etcd passes over the others."""
    if not isinstance(value, dict):
        return value
    made = {}
    for name, item in value.items():
        field = name if name.isupper() else _snake_name(name)
        if item is None or field not in kind.__struct_fields__:
            continue
        inner = _INNER.get((kind, field))
        if inner is None:
            made[field] = item
        else:
            made[field] = [_known(one, inner) for one in item] if isinstance(item, list) else _known(item, inner)
    return made


def _snake_name(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


_INNER: dict[tuple[type[msgspec.Struct], str], type[msgspec.Struct]] = {
    (TxnRequest, "compare"): Comparison,
    (TxnRequest, "success"): RequestOp,
    (TxnRequest, "failure"): RequestOp,
    (RequestOp, "request_range"): RangeRequest,
    (RequestOp, "request_put"): PutRequest,
    (RequestOp, "request_delete_range"): DeleteRangeRequest,
    (RequestOp, "request_txn"): TxnRequest,
    (WatchRequest, "create_request"): WatchCreate,
    (WatchRequest, "cancel_request"): WatchCancel,
}


def number_of(name: Name, names: tuple[str, ...], what: str) -> int:
    """The number of an enumeration's value. Raises ``GatewayError``."""
    if isinstance(name, str) and name in names:
        return names.index(name)
    if isinstance(name, int) and 0 <= name < len(names):
        return name
    raise GatewayError(INVALID_ARGUMENT, f"{what}: expected one of {', '.join(names)}, found {name!r}")
