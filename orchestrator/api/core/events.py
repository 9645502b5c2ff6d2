"""The rules of Event, in the core group and in ``events.k8s.io``: one object in two spellings."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import columns, name_of
from orchestrator.api.strategy import Rules
from orchestrator.api.zeros import fill_object
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid
from orchestrator.apimachinery.tables import Column
from orchestrator.apimachinery.timestamps import age

_CLUSTER_NAMESPACES = ("", "default", "kube-system")


def _regarding(obj: Object) -> Object:
    return obj.get("involvedObject") or obj.get("regarding") or {}


def _check(obj: Object) -> list[FieldError]:
    namespace = obj["metadata"].get("namespace", "")
    about = _regarding(obj).get("namespace") or ""
    path = Path("involvedObject", "namespace")
    if not about and namespace not in _CLUSTER_NAMESPACES:
        return [invalid(path, about, "does not match event.namespace")]
    if about and about != namespace:
        return [invalid(path, about, "does not match event.namespace")]
    return []


def _default(obj: Object) -> None:
    """Moments that are not known are written as null."""
    fill_object(obj)
    for key in ("eventTime", "firstTimestamp", "lastTimestamp") if "involvedObject" in obj else ("eventTime",):
        obj.setdefault(key, None)


def _fields(obj: Object) -> dict[str, str]:
    about = _regarding(obj)
    fields = {
        f"involvedObject.{key}": about.get(key) or ""
        for key in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    }
    source = (obj.get("source") or obj.get("deprecatedSource") or {}).get("component") or ""
    controller = obj.get("reportingComponent") or obj.get("reportingController") or ""
    fields["reason"] = obj.get("reason") or ""
    fields["reportingComponent"] = controller
    fields["source"] = source or controller
    fields["type"] = obj.get("type") or ""
    return fields


def _source_text(obj: Object) -> str:
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    component = source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


def _row(obj: Object, now: float) -> list[Any]:
    first = age(obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime"), now)
    last_time = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    last = age(last_time, now) if last_time else first
    count = obj.get("count") or obj.get("deprecatedCount") or 1
    series = obj.get("series")
    if series:
        last, count = age(series.get("lastObservedTime"), now), series.get("count") or 0
    about = _regarding(obj)
    target = (about.get("kind") or "").lower()
    if about.get("name"):
        target = f"{target}/{about['name']}"
    message = (obj.get("message") or obj.get("note") or "").strip()
    return [
        last,
        obj.get("type") or "",
        obj.get("reason") or "",
        target,
        about.get("fieldPath") or "",
        _source_text(obj),
        message,
        first,
        count,
        name_of(obj),
    ]


_COLUMNS = (
    *columns("Last Seen", "Type", "Reason", "Object", "Subobject*", "Source*", "Message", "First Seen*", "Count*"),
    Column("Name", "string", "name", "", 1),
)


def _rules(group: str) -> Rules:
    return Rules(
        group=group,
        kind="Event",
        create_on_update=True,
        default=_default,
        check=_check,
        own_fields=_fields,
        columns=_COLUMNS,
        row=_row,
    )


RULES = (_rules(""), _rules("events.k8s.io"))
