"""ObjectMeta: what is demanded of it at create and update, and the few things everybody reads from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import (
    FieldError,
    Path,
    forbidden,
    immutable,
    invalid,
    not_supported,
    required,
    too_long,
)
from orchestrator.apimachinery.names import NameRule, dns_label, dns_subdomain, label_key, label_value
from orchestrator.apimachinery.quoting import quote
from orchestrator.apimachinery.timestamps import parse_time, rfc3339, rfc3339_micro

__all__ = [
    "MAX_ANNOTATION_BYTES",
    "controller_of",
    "dns_label",
    "dns_subdomain",
    "generate_name",
    "generation",
    "owner_reference",
    "parse_time",
    "rfc3339",
    "rfc3339_micro",
    "validate_annotations",
    "validate_field_manager",
    "validate_labels",
    "validate_object_meta",
    "validate_object_meta_update",
]

MAX_ANNOTATION_BYTES = 256 * 1024
"""Keys and values of all annotations together."""
MAX_GENERATED_BASE = 58
"""Characters of ``generateName`` that are kept, so that a label still fits with the suffix."""
MAX_MANAGER_BYTES = 128
MAX_SUBRESOURCE_BYTES = 256
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"

_METADATA = Path("metadata")
_Validator = Callable[[Any, Path], list[FieldError]]


class Chooser(Protocol):
    """Randomness as the caller has it: a ``random.Random`` fits."""

    def random(self) -> float: ...


def generate_name(base: str, random: Chooser) -> str:
    """``base`` (cut to fit) and five letters that make no words."""
    letters, pick, many = _SUFFIX_ALPHABET, random.random, len(_SUFFIX_ALPHABET)
    suffix = "".join([letters[int(pick() * many)] for _ in range(_SUFFIX_LENGTH)])
    return base[:MAX_GENERATED_BASE] + suffix


def validate_object_meta(
    meta: Object,
    namespaced: bool,
    path: Path = _METADATA,
    name_rule: NameRule = dns_subdomain,
) -> list[FieldError]:
    """The errors of a new object's metadata, its name already generated."""
    errors: list[FieldError] = []
    base = meta.get("generateName")
    if base:
        errors.extend(invalid(path.child("generateName"), base, text) for text in name_rule(_masked(base)))
    name = meta.get("name")
    if not name:
        errors.append(required(path.child("name"), "name or generateName is required"))
    elif texts := name_rule(name):
        errors.extend(invalid(path.child("name"), name, text) for text in texts)
    errors.extend(_validate_namespace(meta.get("namespace"), namespaced, path))
    if (meta.get("generation") or 0) < 0:
        errors.append(_negative(path.child("generation"), meta["generation"]))
    _validate_parts(meta, path, _PARTS, errors)
    return errors


def validate_object_meta_update(new: Object, old: Object, path: Path = _METADATA) -> list[FieldError]:
    """The errors of metadata that is to replace ``old``: what may never change, and no new finalizer while deleting."""
    errors: list[FieldError] = []
    if old.get("deletionTimestamp"):
        errors.extend(_validate_no_new_finalizers(new.get("finalizers"), old.get("finalizers"), path))
    if not new.get("resourceVersion"):
        errors.append(invalid(path.child("resourceVersion"), "", "must be specified for an update"))
    new_generation, old_generation = new.get("generation") or 0, old.get("generation") or 0
    if new_generation < 0:
        errors.append(_negative(path.child("generation"), new_generation))
    if new_generation < old_generation:
        errors.append(invalid(path.child("generation"), new_generation, "must not be decremented"))
    for key in _IMMUTABLE:
        if new.get(key) != old.get(key):
            errors.extend(immutable(path.child(key), new.get(key), old.get(key)))
    _validate_changed_parts(new, old, path, errors)
    return errors


_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def _masked(base: str) -> str:
    """A prefix may end in a dash: what follows it makes the name whole."""
    return f"{base[:-2]}a" if len(base) > 1 and base.endswith("-") else base


def _negative(path: Path, value: int) -> FieldError:
    return invalid(path, value, "must be greater than or equal to 0")


def _validate_namespace(namespace: str | None, namespaced: bool, path: Path) -> list[FieldError]:
    if not namespaced:
        return [forbidden(path.child("namespace"), "not allowed on this type")] if namespace else []
    if not namespace:
        return [required(path.child("namespace"))]
    return [invalid(path.child("namespace"), namespace, text) for text in dns_label(namespace)]


def validate_labels(labels: Mapping[str, str], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    for key, value in labels.items():
        if texts := label_key(key):
            errors.extend(invalid(path, key, text) for text in texts)
        if texts := label_value(value):
            errors.extend(invalid(path, value, text) for text in texts)
    return errors


def validate_annotations(annotations: Mapping[str, str], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    size = 0
    for key, value in annotations.items():
        if texts := label_key(key.lower()):
            errors.extend(invalid(path, key, text) for text in texts)
        size += _bytes(key) + _bytes(value)
    if size > MAX_ANNOTATION_BYTES:
        errors.append(too_long(path, MAX_ANNOTATION_BYTES))
    return errors


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _validate_finalizers(finalizers: list[str], path: Path) -> list[FieldError]:
    errors = [invalid(path, name, text) for name in finalizers for text in label_key(name)]
    if ORPHAN in finalizers and FOREGROUND in finalizers:
        errors.append(invalid(path, finalizers, f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set"))
    return errors


def _validate_no_new_finalizers(new: list[str] | None, old: list[str] | None, path: Path) -> list[FieldError]:
    extra = sorted(set(new or ()) - set(old or ()))
    if not extra:
        return []
    shown = "[]string{" + ", ".join(map(quote, extra)) + "}"
    text = f"no new finalizers can be added if the object is being deleted, found new finalizers {shown}"
    return [forbidden(path.child("finalizers"), text)]


def _validate_owners(owners: list[Object], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    controller = ""
    for position, owner in enumerate(owners):
        _validate_owner(owner, path.index(position), errors)
        if owner.get("controller"):
            current = f"{owner.get('kind', '')}/{owner.get('name', '')}"
            if controller:
                text = (
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {current}'
                )
                errors.append(invalid(path, owners, text))
            controller = controller or current
    return errors


def _validate_owner(owner: Object, path: Path, errors: list[FieldError]) -> None:
    version = owner.get("apiVersion") or ""
    if not version:
        errors.append(required(path.child("apiVersion"), "must not be empty"))
    elif version.count("/") > 1 or version.endswith("/"):
        errors.append(invalid(path.child("apiVersion"), version, "must be <group>/<version> or <version>"))
    errors.extend(
        required(path.child(key), "must not be empty") for key in ("kind", "name", "uid") if not owner.get(key)
    )
    if version == "v1" and owner.get("kind") == "Event":
        errors.append(invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"))


def _validate_managed(entries: list[Object], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    for position, entry in enumerate(entries):
        operation = entry.get("operation")
        if operation not in ("Apply", "Update") or entry.get("fieldsType", "FieldsV1") != "FieldsV1":
            _validate_managed_kind(entry, path.index(position), errors)
        if (manager := entry.get("manager")) and not _manager_is_plain(manager):
            errors.extend(validate_field_manager(manager, path.index(position).child("manager")))
        if len(entry.get("subresource") or "") > MAX_SUBRESOURCE_BYTES:
            errors.append(too_long(path.index(position).child("subresource"), MAX_SUBRESOURCE_BYTES))
    return errors


def _validate_managed_kind(entry: Object, path: Path, errors: list[FieldError]) -> None:
    operation = entry.get("operation")
    if not operation:
        errors.append(required(path.child("operation"), "must not be empty"))
    elif operation not in ("Apply", "Update"):
        errors.append(not_supported(path.child("operation"), operation, ("Apply", "Update")))
    kind = entry.get("fieldsType")
    if kind and kind != "FieldsV1":
        errors.append(invalid(path.child("fieldsType"), kind, "must be `FieldsV1`"))


def _manager_is_plain(manager: str) -> bool:
    return manager.isascii() and manager.isprintable() and len(manager) <= MAX_MANAGER_BYTES


def validate_field_manager(manager: str, path: Path) -> list[FieldError]:
    """The ``fieldManager`` parameter: at most 128 printable characters."""
    if _manager_is_plain(manager):
        return []
    errors = [too_long(path, MAX_MANAGER_BYTES)] if _bytes(manager) > MAX_MANAGER_BYTES else []
    for position, char in enumerate(manager):
        if not char.isprintable():
            text = f"invalid character U+{ord(char):04X} (at position {position})"
            errors.append(invalid(path, manager, text))
    return errors


_PARTS: dict[str, _Validator] = {
    "labels": validate_labels,
    "annotations": validate_annotations,
    "ownerReferences": _validate_owners,
    "finalizers": _validate_finalizers,
    "managedFields": _validate_managed,
}
_PARTS_OF_UPDATE = tuple((key, check) for key, check in _PARTS.items() if key != "finalizers")


def _validate_parts(meta: Object, path: Path, parts: Mapping[str, _Validator], errors: list[FieldError]) -> None:
    for key, check in parts.items():
        value = meta.get(key)
        if value:
            errors.extend(check(value, path.child(key)))


def _validate_changed_parts(new: Object, old: Object, path: Path, errors: list[FieldError]) -> None:
    """A part that stayed as it was is not looked at again: it was good, or is tolerated because it stands."""
    for key, check in _PARTS_OF_UPDATE:
        value = new.get(key)
        if value and value is not old.get(key):
            errors.extend(check(value, path.child(key)))


def controller_of(meta: Object) -> Object | None:
    """The owner reference that has ``controller: true``."""
    for owner in meta.get("ownerReferences") or ():
        if owner.get("controller"):
            return owner  # type: ignore[no-any-return]
    return None


def owner_reference(owner: Object, *, controller: bool = True, block_deletion: bool = True) -> Object:
    """The reference that makes ``owner`` (a whole object) the owner of something."""
    meta = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": controller,
        "blockOwnerDeletion": block_deletion,
    }


def generation(obj: Object) -> int:
    """``metadata.generation``, 0 when the kind has none."""
    return int(obj.get("metadata", {}).get("generation") or 0)
