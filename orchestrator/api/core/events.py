"""The rules of Event, in the core group and in ``events.k8s.io``: one object in two spellings."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import columns, name_of
from orchestrator.api.strategy import Rules
from orchestrator.api.zeros import fill_object
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid, required
from orchestrator.apimachinery.tables import Column
from orchestrator.apimachinery.timestamps import age

_CLUSTER_NAMESPACES = ("", "default", "kube-system")


def _regarding(obj: Object) -> Object:
    return obj.get("involvedObject") or obj.get("regarding") or {}


NORMAL_OR_WARNING = ("Normal", "Warning")
UNSET = (("firstTimestamp", "firstTimestamp"), ("lastTimestamp", "lastTimestamp"), ("count", "count"))


def _check_new(obj: Object) -> list[FieldError]:
    """What ``events.k8s.io`` asks of an event, in the stored form."""
    errors = _check(obj)
    if not obj.get("eventTime"):
        errors.append(required("eventTime"))
    kind = obj.get("type") or ""
    if kind not in NORMAL_OR_WARNING:
        errors.append(invalid("type", "", f"has invalid value: {kind}"))
    errors.extend(invalid(field, "", "needs to be unset") for key, field in UNSET if obj.get(key))
    return errors


def _check_complete(obj: Object) -> list[FieldError]:
    """An event with a time of its own says who saw it do what."""
    namespace = obj["metadata"].get("namespace", "")
    errors: list[FieldError] = []
    if not _regarding(obj).get("namespace") and namespace not in _CLUSTER_NAMESPACES:
        errors.append(invalid(Path("involvedObject", "namespace"), "", "does not match event.namespace"))
    controller = obj.get("reportingComponent") or obj.get("reportingController")
    if not controller:
        errors.append(required("reportingController"))
    errors.extend(required(key) for key in ("reportingInstance", "action", "reason") if not obj.get(key))
    return errors


def _check(obj: Object) -> list[FieldError]:
    if obj.get("eventTime"):
        return _check_complete(obj)
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
        check=_check_new if group else _check,
        own_fields=_fields,
        columns=_COLUMNS,
        row=_row,
    )


RULES = (_rules(""), _rules("events.k8s.io"))
