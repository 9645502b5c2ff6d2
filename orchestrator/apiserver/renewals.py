"""Renewals of leases that are equal but for their holder and their moment are merged, checked and given owners once.

Thousands of nodes renew a lease each ten seconds, hundreds of them in one second. What comes out of a merge patch of
the renewal time alone hangs on the managed fields, the rest but for the holder's name, and the second; so the first of
a second takes the whole way, and the next whose bytes are the same but for those texts is cast from it (``moulds``).
"""

from __future__ import annotations

import re

import msgspec

from orchestrator.apimachinery.encoded import Encoded
from orchestrator.apimachinery.metadata import managed_fields
from orchestrator.apiserver.call import Call
from orchestrator.apiserver.moulds import MANAGED, NEVER, Moulds
from orchestrator.apiserver.write import Write, changed_parts
from orchestrator.client.protocol import Options, PatchType
from orchestrator.client.splice import cut
from orchestrator.store.protocol import Change, Value

_encode = msgspec.msgpack.Encoder().encode
_HOLDER, _RENEWED = _encode("holderIdentity"), _encode("renewTime")
_TEXT = _encode("2026-01-01T00:00:00.000000Z")
_BODY = _encode({"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}}).removesuffix(_TEXT)
"""What a body begins with that says when the lease was renewed, and nothing else."""
_SECOND_BYTES = len("2026-01-01T00:00:00")
_fraction = re.compile(rb"\.\d{6}Z").fullmatch
_PLAIN = Options()
_NO_FIELDS: dict[str, str] = {}
"""Of a lease in the store. Never written to."""


class _Owner(msgspec.Struct):
    uid: str = ""


class _Metadata(msgspec.Struct):
    deletionTimestamp: str | None = None
    ownerReferences: list[_Owner] = []
    managedFields: msgspec.Raw = msgspec.Raw(b"")


class _Spec(msgspec.Struct):
    holderIdentity: str = ""
    renewTime: str = ""


class _Rest(msgspec.Struct):
    spec: _Spec = msgspec.field(default_factory=_Spec)


_metadata = msgspec.msgpack.Decoder(_Metadata).decode
_rest = msgspec.msgpack.Decoder(_Rest).decode


class Renewal:
    """One renewal as its mould is looked for."""

    __slots__ = ("_current", "_managed", "_owner", "_rest", "key")

    def __init__(self, call: Call, current: Value, managed: bytes, owner: bytes, rest: bytes, alike: bytes) -> None:
        self._current = current
        self._managed = managed
        self._owner = owner
        self._rest = rest
        self.key = call.resource.api_version, int(call.now), managed.replace(owner, NEVER), alike

    def write(self, mould: bytes) -> Write:
        """The write that the mould gives this lease."""
        current = self._current
        before, after = cut(current.parts[0], MANAGED, self._managed)
        metadata = b"".join((before, MANAGED, mould.replace(NEVER, self._owner), after))
        made = Encoded(metadata, current.parts[1], self._rest)
        change = Change(current.key, changed_parts(made, current), current.mod_revision, _NO_FIELDS)
        return Write(made, change, retry=True, key=current.key)

    def mould(self, write: Write) -> bytes | None:
        """What the write that took the whole way leaves behind; None when nothing can be cast from it."""
        encoded, change = write.encoded, write.change
        if encoded is None or change is None or change.parts is None:
            return None
        mould = managed_fields(encoded.metadata).replace(self._owner, NEVER)
        again = self.write(mould)
        return mould if again.encoded == encoded and again.change == change else None


renewals: Moulds[Renewal] = Moulds()


def renewal_of(call: Call, current: Value) -> Renewal | None:
    """None: the patch is no plain renewal of a lease, or hangs on more than a mould holds."""
    body = call.request.body
    if not body.startswith(_BODY) or len(body) != len(_BODY) + len(_TEXT) or call.resource.kind != "Lease":
        return None
    if call.request.patch_type is not PatchType.MERGE or call.options != _PLAIN or call.request.problems:
        return None
    if call.subresource or call.served is not None or call.resource.custom is not None:
        return None
    text = body[len(_BODY) :]
    metadata, rest = _metadata(current.parts[0]), current.parts[2]
    managed, owners, spec = bytes(metadata.managedFields), metadata.ownerReferences, _rest(rest).spec
    if _fraction(text[1 + _SECOND_BYTES :]) is None or not managed or metadata.deletionTimestamp:
        return None
    if len(owners) != 1 or not owners[0].uid or not spec.holderIdentity or NEVER in managed or NEVER in rest:
        return None
    held, renewed = _HOLDER + _encode(spec.holderIdentity), _RENEWED + _encode(spec.renewTime)
    if rest.count(held) != 1 or rest.count(renewed) != 1 or renewed.endswith(text):
        return None
    alike = rest.replace(held, NEVER).replace(renewed, text[: 1 + _SECOND_BYTES])
    owner = _encode(f'k:{{"uid":"{owners[0].uid}"}}')
    return Renewal(call, current, managed, owner, rest.replace(renewed, _RENEWED + text), alike)
