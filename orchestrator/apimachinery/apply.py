"""Who manages which fields: server-side apply, and the tracking of all other writes in ``metadata.managedFields``.

The semantics are those of structured-merge-diff and of Kubernetes' ``managedfields`` package. Entries of another
version of the same group are taken as if they were of this one.
"""

from __future__ import annotations

import msgspec
import orjson

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field_sets import (
    MEMBER,
    FieldSet,
    difference,
    intersection,
    path_text,
    paths,
    union,
    without,
)
from orchestrator.apimachinery.layouts import layout
from orchestrator.apimachinery.leaf import ABSENT, Layout, LayoutError
from orchestrator.apimachinery.quoting import quote
from orchestrator.apimachinery.shapes import Shape
from orchestrator.apimachinery.timestamps import parse_time, rfc3339

MAX_UPDATE_MANAGERS = 10
"""Entries of updates that are kept apart; older ones are merged into one."""
ANCIENT = "ancient-changes"
BEFORE_APPLY = "before-first-apply"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
RESET_MAIN: FieldSet = {"f:status": MEMBER}
"""What a write to the object itself never owns, where the status has a subresource."""
RESET_STATUS: FieldSet = {"f:spec": MEMBER}
"""What a write to the status never owns."""

_STRIPPED: FieldSet = {
    "f:apiVersion": MEMBER,
    "f:kind": MEMBER,
    "f:metadata": {
        ".": MEMBER,
        "f:name": MEMBER,
        "f:namespace": MEMBER,
        "f:creationTimestamp": MEMBER,
        "f:selfLink": MEMBER,
        "f:uid": MEMBER,
        "f:clusterName": MEMBER,
        "f:generation": MEMBER,
        "f:managedFields": MEMBER,
        "f:resourceVersion": MEMBER,
    },
}


class Entry(msgspec.Struct, frozen=True):
    """One manager's fields: an entry of ``metadata.managedFields``."""

    manager: str
    operation: str
    version: str
    subresource: str
    fields: FieldSet
    time: str

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Applies of one manager are one entry whatever the version."""
        return self.manager, self.operation, self.version if self.operation == "Update" else "", self.subresource


_Entries = dict[tuple[str, str, str, str], Entry]


def update_managed(
    live: Object | None,
    new: Object,
    type: Shape,
    manager: str,
    *,
    version: str,
    now: float,
    subresource: str = "",
    reset: FieldSet | None = None,
) -> list[Object]:
    """The ``managedFields`` of ``new`` after a create (``live`` None), update or patch by ``manager``.

    ``version`` is the apiVersion of the request. ``reset`` are fields this write does not own (see ``RESET_MAIN``);
    the default fits kinds with a status subresource. The entries that ``new`` brings along win over those of ``live``,
    unless it is a write to a subresource. An object that nobody manages (empty list) stays so until it is applied to.
    """
    entries = _entries_of_update(live, new, subresource)
    if live is not None and not entries:
        return []
    changed, removed = _compared(live, new, type, RESET_MAIN if reset is None else reset)
    if not changed and not removed:
        return _encoded(entries)
    for identity, entry in list(entries.items()):
        _put(entries, identity, entry, difference(difference(entry.fields, changed), removed))
    if changed:
        mine = Entry(manager or "unknown", "Update", version, subresource, changed, rfc3339(now))
        before = entries.get(mine.identity)
        fields = union(before.fields, changed) if before is not None else changed
        entries[mine.identity] = msgspec.structs.replace(mine, fields=fields)
        _merge_ancient(entries)
    return _encoded(entries)


def _entries_of_update(live: Object | None, new: Object, subresource: str) -> _Entries:
    listed = new.get("metadata", {}).get("managedFields")
    if live is None:
        return _decoded(listed)
    if subresource:
        return _decoded(live["metadata"].get("managedFields"))
    if listed is not None and (not listed or listed == [{}]):
        return {}
    return _decoded(listed) or _decoded(live["metadata"].get("managedFields"))


def _compared(live: Object | None, new: Object, type: Shape, reset: FieldSet) -> tuple[FieldSet, FieldSet]:
    compiled = layout(type, not type.structural)
    changed, removed = compiled.compare(_bare(live or {}), _bare(new))
    return without(changed or {}, reset), without(removed or {}, reset)


_UNTRACKED = frozenset(key[2:] for key in _STRIPPED["f:metadata"] if key != ".")


def _bare(obj: Object) -> Object:
    """The object without what no manager owns, so that it is never compared."""
    bare = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
    bare["metadata"] = {key: value for key, value in obj.get("metadata", {}).items() if key not in _UNTRACKED}
    return bare


def apply(
    live: Object | None,
    applied: Object,
    type: Shape,
    manager: str,
    *,
    force: bool,
    version: str,
    now: float,
    subresource: str = "",
    reset: FieldSet | None = None,
) -> Object:
    """Server-side apply: ``live`` (None: create) with what ``applied`` says, not yet defaulted.

    What ``manager`` applied before and no longer does is removed, unless somebody else owns it. Raises ``StatusError``:
    409 with the conflicts, 400 for a body that carries managedFields or does not fit (upstream: 500).
    The result is ``live`` itself in all but ``managedFields`` when nothing changed.
    """
    if applied.get("metadata", {}).get("managedFields") is not None:
        raise errors.bad_request("metadata.managedFields must be nil")
    if applied.get("apiVersion") != version:
        text = (
            "Incorrect version specified in apply patch. "
            f"Specified patch version: {applied.get('apiVersion', '')}, expected: {version}"
        )
        raise errors.bad_request(text)
    base = live if live is not None else _empty(applied)
    operation = _Apply(base, applied, type, reset, now, version)
    entries = operation.entries(live)
    me = Entry(manager or "unknown", "Apply", version, subresource, operation.owned(), rfc3339(now))
    try:
        return operation.run(me, dict(entries), force)
    except errors.StatusError as conflict:
        if force or manager != "kubectl" or conflict.reason != "Conflict":
            raise
        return operation.run_migrating(me, entries, conflict)


def _empty(applied: Object) -> Object:
    meta = applied.get("metadata", {})
    kept = {key: meta[key] for key in ("name", "namespace") if key in meta}
    return {"apiVersion": applied["apiVersion"], "kind": applied["kind"], "metadata": kept}


class _Apply:
    """One apply: the merged object, what is removed from it, and what becomes of the entries."""

    def __init__(
        self, live: Object, applied: Object, type: Shape, reset: FieldSet | None, now: float, version: str
    ) -> None:
        self.live = _without_managed(live)
        self.applied = applied
        self.type = type
        self.layout: Layout = layout(type, not type.structural)
        self.reset = RESET_MAIN if reset is None else reset
        self.now = now
        self.version = version

    def entries(self, live: Object | None) -> _Entries:
        """Those of the live object; without any, one that owns all that is there."""
        entries = _decoded((live or {}).get("metadata", {}).get("managedFields"))
        if entries or live is None:
            return entries
        listed = update_managed(None, self.live, self.type, BEFORE_APPLY, version=self.version, now=self.now)
        return _decoded(listed)

    def owned(self) -> FieldSet:
        try:
            fields = self.layout.owned(self.applied, "")
        except LayoutError as error:
            raise errors.bad_request(f"{self._failed()}: {error}") from None
        return without(fields, self.reset)

    def _failed(self) -> str:
        meta = self.applied.get("metadata", {})
        version, kind = self.applied.get("apiVersion", ""), self.applied.get("kind", "")
        version = version if "/" in version else f"/{version}"
        place = f"{meta.get('namespace', '')}/{meta.get('name', '')}; {version}, Kind={kind}"
        return f"failed to create typed patch object ({place})"

    def run(self, me: Entry, entries: _Entries, force: bool) -> Object:
        before = entries.get(me.identity)
        entries[me.identity] = me
        new = self.layout.merge(self.live, self.applied)
        if before is not None and before.fields:
            new = self._pruned(new, before.fields, entries)
        changed, removed = _compared(self.live, new, self.type, self.reset)
        self._take(me, entries, changed, removed, force)
        _put(entries, me.identity, me, difference(me.fields, _STRIPPED))
        if before is not None and not changed and not removed and new == self.live and me.identity in entries:
            entries[me.identity] = msgspec.structs.replace(entries[me.identity], time=before.time)
        result = dict(new)
        result["metadata"] = dict(new.get("metadata") or {})
        listed = _encoded(entries)
        if listed:
            result["metadata"]["managedFields"] = listed
        return result

    def _pruned(self, merged: Object, before: FieldSet, entries: _Entries) -> Object:
        """``merged`` without what was applied before, is not applied now and nobody owns."""
        named = self.layout.named
        claimed: FieldSet = {}
        for entry in entries.values():
            claimed = union(claimed, entry.fields)
        everything = named(self.layout.owned(merged, None))
        rest = self.layout.remove(merged, named(before))
        kept = {} if rest is ABSENT else named(self.layout.owned(rest, None))
        gone = difference(everything, union(kept, named(claimed)))
        pruned = self.layout.remove(merged, gone)
        left = {} if pruned is ABSENT else named(self.layout.owned(pruned, None))
        gone = intersection(difference(everything, left), named(before))
        result = self.layout.remove(merged, gone)
        return {} if result is ABSENT else result

    def _take(self, me: Entry, entries: _Entries, changed: FieldSet, removed: FieldSet, force: bool) -> None:
        """What ``me`` changes, nobody else owns any more. Raises the conflict unless forced."""
        conflicts: dict[tuple[str, str, str, str], FieldSet] = {}
        for identity, entry in entries.items():
            if identity != me.identity and (both := intersection(entry.fields, changed)):
                conflicts[identity] = both
        if conflicts and not force:
            raise _conflict([(entries[identity], fields) for identity, fields in conflicts.items()])
        for identity, entry in list(entries.items()):
            if identity == me.identity:
                continue
            fields = difference(entry.fields, conflicts.get(identity, MEMBER))
            _put(entries, identity, entry, difference(fields, removed))

    def run_migrating(self, me: Entry, entries: _Entries, conflict: errors.StatusError) -> Object:
        """kubectl's own client-side applies do not conflict with its server-side ones."""
        allowed = self._last_applied()
        if allowed is None:
            raise conflict
        changed, _ = _compared(self.live, self.layout.merge(self.live, self.applied), self.type, self.reset)
        left = [
            (entry, rest)
            for identity, entry in entries.items()
            if identity != me.identity and (rest := difference(intersection(entry.fields, changed), allowed))
        ]
        if left:
            raise _conflict(left)
        return self.run(me, dict(entries), True)

    def _last_applied(self) -> FieldSet | None:
        """The fields of the last-applied annotation that still stand as they were applied."""
        text = (self.live.get("metadata", {}).get("annotations") or {}).get(LAST_APPLIED)
        try:
            last = orjson.loads(text or "")
            if last.get("apiVersion") != self.version:
                return None
            owned = self.layout.owned(last, None)
        except (ValueError, AttributeError):
            return None
        changed, removed = self.layout.compare(last, self.live)
        return difference(difference(owned, changed or MEMBER), removed or MEMBER)


def _without_managed(obj: Object) -> Object:
    meta = obj.get("metadata", {})
    if "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}


def _put(entries: _Entries, identity: tuple[str, str, str, str], entry: Entry, fields: FieldSet) -> None:
    if not fields:
        entries.pop(identity, None)
    elif fields is not entry.fields:
        entries[identity] = msgspec.structs.replace(entry, fields=fields)


def _decoded(listed: list[Object] | None) -> _Entries:
    """Entries by identity; none at all when one of them is malformed, as upstream."""
    entries: _Entries = {}
    for each in listed or ():
        operation, version = each.get("operation"), each.get("apiVersion")
        if operation not in ("Apply", "Update") or not version or each.get("fieldsType") != "FieldsV1":
            return {}
        fields = each.get("fieldsV1") or {}
        entry = Entry(
            each.get("manager", ""), operation, version, each.get("subresource", ""), fields, each.get("time", "")
        )
        entries[entry.identity] = entry
    return entries


def _encoded(entries: _Entries) -> list[Object]:
    """As listed in the object: applies first, then by time, manager, version and subresource."""
    if len(entries) == 1:
        return [_encoded_entry(entry) for entry in entries.values()]
    ordered = sorted(
        entries.values(),
        key=lambda entry: (entry.operation, _seconds(entry.time), entry.manager, entry.version, entry.subresource),
    )
    return [_encoded_entry(entry) for entry in ordered]


def _encoded_entry(entry: Entry) -> Object:
    result: Object = {"manager": entry.manager, "operation": entry.operation, "apiVersion": entry.version}
    if entry.time:
        result["time"] = entry.time
    result["fieldsType"] = "FieldsV1"
    result["fieldsV1"] = entry.fields
    if entry.subresource:
        result["subresource"] = entry.subresource
    return result


def _seconds(time: str) -> float:
    try:
        return parse_time(time) // 1 if time else 0.0
    except ValueError:
        return 0.0


def _merge_ancient(entries: _Entries) -> None:
    """Too many updaters: the oldest are merged into one entry for each version."""
    updates = [entry for entry in entries.values() if entry.operation == "Update"]
    excess = len(updates) - MAX_UPDATE_MANAGERS
    if excess <= 0:
        return
    updates.sort(key=lambda entry: (_seconds(entry.time), entry.identity))
    first: dict[str, Entry] = {}
    for entry in updates:
        if excess <= 0:
            return
        bucket = first.get(entry.version)
        if bucket is None:
            first[entry.version] = entry
            continue
        entries.pop(bucket.identity, None)
        entries.pop(entry.identity, None)
        fields = union(bucket.fields, entry.fields)
        merged = Entry(ANCIENT, "Update", entry.version, "", fields, entry.time)
        known = entries.get(merged.identity)
        if known is not None:
            merged = msgspec.structs.replace(merged, fields=union(known.fields, fields))
        entries[merged.identity] = first[entry.version] = merged
        excess -= 1


def _conflict(conflicts: list[tuple[Entry, FieldSet]]) -> errors.StatusError:
    causes: list[Object] = []
    lines: list[str] = []
    for entry, fields in sorted(conflicts, key=lambda pair: pair[0].identity):
        who = _manager_text(entry)
        lines.append(f"conflicts with {who}:")
        for path in paths(fields):
            text = path_text(path)
            lines.append(f"- {text}")
            causes.append({"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": text})
    if len(causes) == 1:
        message = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        text = "\n".join(lines)
        message = f"Apply failed with {len(causes)} conflicts: {text}"
    return errors.apply_conflict(message, causes)


def _manager_text(entry: Entry) -> str:
    text = quote(entry.manager)
    if entry.subresource:
        text = f"{text} with subresource {quote(entry.subresource)}"
    return f"{text} using {entry.version}" if entry.operation == "Update" else text
