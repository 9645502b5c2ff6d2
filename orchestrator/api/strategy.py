"""What the rules of a kind are made of: a record of functions, with what is the same for every kind built in.

The order in which a handler uses it: decode, ``default``, field tracking (``apimachinery.apply.update_managed`` with
``reset_fields``), admission, name and uid and creationTimestamp, ``prepare_create`` or ``prepare_update`` or
``prepare_status``, ``validate`` or ``validate_update`` or ``validate_status``. The object is a private copy and is
changed in place; the old object is published and never changed, the new one may share its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.api.cells import NAME_AND_AGE, name_and_created
from orchestrator.api.zeros import fill_object, zero_status
from orchestrator.apimachinery.apply import RESET_MAIN, RESET_STATUS
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError
from orchestrator.apimachinery.field_sets import MEMBER, FieldSet
from orchestrator.apimachinery.meta import validate_object_meta, validate_object_meta_update
from orchestrator.apimachinery.names import NameRule, dns_subdomain
from orchestrator.apimachinery.tables import Column


def nothing(obj: Object) -> None:
    """No change."""


def filled(default: Callable[[Object], None]) -> Callable[[Object], None]:
    """``default``, then the zero values that Go writes."""

    def default_and_fill(obj: Object) -> None:
        default(obj)
        fill_object(obj)

    return default_and_fill


def nothing_changed(new: Object, old: Object) -> None:
    """No change."""


def no_errors(obj: Object) -> list[FieldError]:
    return []


def no_update_errors(new: Object, old: Object) -> list[FieldError]:
    return []


def no_fields(obj: Object) -> dict[str, str]:
    return {}


def setdefault(holder: Object, key: str, value: Any) -> None:
    """As ``dict.setdefault``, with null counting as absent."""
    if holder.get(key) is None:
        holder[key] = value


def spec_changed(new: Object, old: Object) -> bool:
    new_spec, old_spec = new.get("spec"), old.get("spec")
    return new_spec is not old_spec and new_spec != old_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How one kind is defaulted, prepared, validated, selected and printed."""

    group: str
    kind: str
    namespaced: bool = True
    name_rule: NameRule = dns_subdomain
    has_status: bool = False
    """It has a status of its own, which only the status subresource writes."""
    initial_status: Callable[[Object], Object | None] = zero_status
    counts: Callable[[Object, Object], bool] | None = None
    """Whether a change raises ``metadata.generation``; None: the kind has no generation."""
    create_on_update: bool = False
    """A PUT to a name that is not there creates it."""
    unconditional_update: bool = True
    """A PUT without resourceVersion overwrites."""
    index: tuple[str, ...] = ()
    """The fields that the store indexes, for watches that ask for one value."""
    default: Callable[[Object], None] = nothing
    create: Callable[[Object], None] = nothing
    """The kind's own part of ``prepare_create``, after the status was reset."""
    update: Callable[[Object, Object], None] = nothing_changed
    status: Callable[[Object, Object], None] = nothing_changed
    check: Callable[[Object], list[FieldError]] = no_errors
    """What must hold of any object of the kind, metadata apart."""
    check_update: Callable[[Object, Object], list[FieldError]] = no_update_errors
    """What may not change."""
    check_status: Callable[[Object, Object], list[FieldError]] = no_update_errors
    own_address: Callable[[bytes], str] | None = None
    """The address in an encoded status, "" for none; given only by a kind whose rules for a status look at nothing
    but the statuses and metadata, and at no address in them."""
    own_fields: Callable[[Object], dict[str, str]] = no_fields
    columns: tuple[Column, ...] = NAME_AND_AGE
    row: Callable[[Object, float], list[Any]] = name_and_created
    """The cells of a table's row at ``now`` (Unix seconds)."""
    row_conditions: Callable[[Object], list[Object]] | None = None
    """What a table says of a row as a whole."""
    grace_seconds: Callable[[Object, int | None], int] | None = None
    """Seconds a delete waits for the object's owner to confirm, of what was asked; None: it is deleted at once."""

    def prepare_create(self, obj: Object) -> None:
        """What the server sets whatever the client sent: no status, generation 1."""
        meta = obj["metadata"]
        if self.has_status:
            status = self.initial_status(obj)
            if status is None:
                obj.pop("status", None)
            else:
                obj["status"] = status
        if self.counts is None:
            meta.pop("generation", None)
        else:
            meta["generation"] = 1
        self.create(obj)

    def prepare_update(self, new: Object, old: Object) -> None:
        """Keeps what an update may not touch: status, creation, deletion, uid; counts the generation."""
        self._keep_metadata(new["metadata"], old["metadata"])
        if self.has_status:
            _keep(new, old, "status")
        self.update(new, old)
        if self.counts is not None and self.counts(new, old):
            meta = new["metadata"]
            meta["generation"] = (meta.get("generation") or 0) + 1

    def prepare_status(self, new: Object, old: Object) -> None:
        """Keeps everything but the status and the metadata."""
        self._keep_metadata(new["metadata"], old["metadata"])
        for key in [key for key in new if key not in old and key not in ("metadata", "status")]:
            del new[key]
        for key, value in old.items():
            if key not in ("metadata", "status"):
                new[key] = value
        self.status(new, old)

    def validate(self, obj: Object) -> list[FieldError]:
        """The errors of a new object, defaulted and with its name generated."""
        errors = validate_object_meta(obj["metadata"], self.namespaced, name_rule=self.name_rule)
        more = self.check(obj)
        return errors + more if more else errors

    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        """The errors of an object that is to replace ``old``."""
        errors = validate_object_meta_update(new["metadata"], old["metadata"])
        if "spec" not in new or spec_changed(new, old):
            errors.extend(self.check(new))
        errors.extend(self.check_update(new, old))
        return errors

    def validate_status(self, new: Object, old: Object) -> list[FieldError]:
        """The errors of a new status."""
        errors = validate_object_meta_update(new["metadata"], old["metadata"])
        errors.extend(self.check_status(new, old))
        return errors

    def fields(self, obj: Object) -> dict[str, str]:
        """What a field selector can ask for: name, namespace and the kind's own."""
        meta = obj["metadata"]
        fields = self.own_fields(obj)
        fields["metadata.name"] = meta.get("name", "")
        if self.namespaced:
            fields["metadata.namespace"] = meta.get("namespace", "")
        return fields

    def reset_fields(self, subresource: str = "") -> FieldSet:
        """The fields that a write to the object, or to its subresource, never owns (for field tracking)."""
        if subresource == "status":
            return RESET_STATUS
        return RESET_MAIN if self.has_status else MEMBER

    def _keep_metadata(self, meta: Object, old: Object) -> None:
        _keep(meta, old, "generation")
        if not meta.get("uid"):
            _keep(meta, old, "uid")
        _keep(meta, old, "creationTimestamp")
        if old.get("deletionTimestamp"):
            meta["deletionTimestamp"] = old["deletionTimestamp"]
        if meta.get("deletionGracePeriodSeconds") is None:
            _keep(meta, old, "deletionGracePeriodSeconds")
        if self.unconditional_update and not meta.get("resourceVersion") and "resourceVersion" in old:
            meta["resourceVersion"] = old["resourceVersion"]


def _keep(new: Object, old: Object, key: str) -> None:
    if key in old:
        new[key] = old[key]
    else:
        new.pop(key, None)
