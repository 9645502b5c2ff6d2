"""Metadata decoded but for its managed fields, which are most of its bytes and which few writes look at."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from orchestrator.apimachinery.encoded import Object, decode_part


class _Metadata(msgspec.Struct, forbid_unknown_fields=True):
    """ObjectMeta as any kind has it, in the order in which Kubernetes writes it."""

    name: Any = UNSET
    generateName: Any = UNSET
    namespace: Any = UNSET
    selfLink: Any = UNSET
    uid: Any = UNSET
    resourceVersion: Any = UNSET
    generation: Any = UNSET
    creationTimestamp: Any = UNSET
    deletionTimestamp: Any = UNSET
    deletionGracePeriodSeconds: Any = UNSET
    labels: Any = UNSET
    annotations: Any = UNSET
    ownerReferences: Any = UNSET
    finalizers: Any = UNSET
    managedFields: Raw | UnsetType = UNSET


_FIELDS = _Metadata.__struct_fields__
_decode = msgspec.msgpack.Decoder(_Metadata).decode


def decode_lightly(part: bytes, revision: int = 0) -> Object:
    """Encoded metadata as a new dict in which ``managedFields`` stays encoded (``msgspec.Raw``, encoded as it is)."""
    try:
        held = _decode(part)
    except msgspec.ValidationError:
        metadata = decode_part(part)
    else:
        metadata = {
            name: value
            for name, value in zip(_FIELDS, msgspec.structs.astuple(held), strict=True)
            if value is not UNSET
        }
    if revision:
        metadata["resourceVersion"] = str(revision)
    return metadata


class _Managed(msgspec.Struct):
    managedFields: Raw = Raw(b"")


_managed = msgspec.msgpack.Decoder(_Managed).decode


def managed_fields(part: bytes) -> bytes:
    """The managed fields in encoded metadata, encoded as they are; empty when there are none."""
    return bytes(_managed(part).managedFields)
