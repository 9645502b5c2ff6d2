"""The rules of the workloads in ``apps``."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import NONE, age_of, columns, container_cells, labels_text, name_of, template_cells
from orchestrator.api.core.pod_defaults import default_claim_spec, default_template
from orchestrator.api.core.pod_validation import validate_template
from orchestrator.api.counts import above_hundred, is_zero, not_negative, number_or_percent, selector_of_template
from orchestrator.api.strategy import Rules, setdefault, spec_changed
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, forbidden, immutable, invalid, not_supported
from orchestrator.apimachinery.meta import controller_of
from orchestrator.apimachinery.names import dns_label

_SPEC = Path("spec")
_ALWAYS = ("Always",)
_DEPRECATED_GENERATION = "deprecated.daemonset.template.generation"


def default_deployment(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    setdefault(spec, "replicas", 1)
    strategy = spec.setdefault("strategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        setdefault(rolling, "maxUnavailable", "25%")
        setdefault(rolling, "maxSurge", "25%")
    setdefault(spec, "revisionHistoryLimit", 10)
    setdefault(spec, "progressDeadlineSeconds", 600)
    default_template(spec.setdefault("template", {}))


def default_replica_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    setdefault(spec, "replicas", 1)
    default_template(spec.setdefault("template", {}))


def default_daemon_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        setdefault(rolling, "maxUnavailable", 1)
        setdefault(rolling, "maxSurge", 0)
    setdefault(spec, "revisionHistoryLimit", 10)
    default_template(spec.setdefault("template", {}))
    annotations = obj.setdefault("metadata", {}).get("annotations") or {}
    if _DEPRECATED_GENERATION not in annotations:
        obj["metadata"]["annotations"] = {**annotations, _DEPRECATED_GENERATION: "0"}


def default_stateful_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    setdefault(spec, "podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and strategy.get("rollingUpdate") is not None:
        setdefault(strategy["rollingUpdate"], "partition", 0)
        setdefault(strategy["rollingUpdate"], "maxUnavailable", 1)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    for key in ("whenDeleted", "whenScaled"):
        setdefault(retention, key, "Retain")
    setdefault(spec, "replicas", 1)
    setdefault(spec, "revisionHistoryLimit", 10)
    default_template(spec.setdefault("template", {}))
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        claim.setdefault("metadata", {})
        default_claim_spec(claim.setdefault("spec", {}))
        claim.setdefault("status", {}).setdefault("phase", "Pending")


def _deployment_changed(new: Object, old: Object) -> bool:
    return spec_changed(new, old) or new["metadata"].get("annotations") != old["metadata"].get("annotations")


def _keep_labels(new: Object, old: Object) -> None:
    """A status write of a Deployment does not touch the labels."""
    labels = old["metadata"].get("labels")
    if labels is None:
        new["metadata"].pop("labels", None)
    else:
        new["metadata"]["labels"] = labels


def _count_template(obj: Object) -> None:
    annotations = dict(obj["metadata"].get("annotations") or {})
    annotations[_DEPRECATED_GENERATION] = "1"
    obj["metadata"]["annotations"] = annotations


def _recount_template(new: Object, old: Object) -> None:
    count = int((old["metadata"].get("annotations") or {}).get(_DEPRECATED_GENERATION) or 0)
    if (new.get("spec") or {}).get("template") != (old.get("spec") or {}).get("template"):
        count += 1
    if count:
        annotations = dict(new["metadata"].get("annotations") or {})
        annotations[_DEPRECATED_GENERATION] = str(count)
        new["metadata"]["annotations"] = annotations


def _check_template(spec: Object) -> list[FieldError]:
    return validate_template(spec.get("template") or {}, _SPEC.child("template"), _ALWAYS)


def _with_claims(spec: Object) -> Object:
    """``spec`` with the volumes that its pods get from ``volumeClaimTemplates``: containers may mount them."""
    template = spec.get("template") or {}
    pod = template.get("spec") or {}
    names = [(claim.get("metadata") or {}).get("name") for claim in spec.get("volumeClaimTemplates") or ()]
    held = {volume.get("name") for volume in pod.get("volumes") or ()}
    claimed = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names if name not in held]
    if not claimed:
        return spec
    return {**spec, "template": {**template, "spec": {**pod, "volumes": [*(pod.get("volumes") or ()), *claimed]}}}


def check_deployment(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = not_negative(spec, _SPEC, "replicas")
    errors.extend(selector_of_template(spec, "deployment", _SPEC))
    errors.extend(_check_template(spec))
    errors.extend(_check_strategy(spec.get("strategy") or {}))
    errors.extend(not_negative(spec, _SPEC, "minReadySeconds", "revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        errors.extend(not_negative(spec, _SPEC, "progressDeadlineSeconds"))
        if deadline <= (spec.get("minReadySeconds") or 0):
            text = "must be greater than minReadySeconds"
            errors.append(invalid(_SPEC.child("progressDeadlineSeconds"), deadline, text))
    return errors


def _check_strategy(strategy: Object) -> list[FieldError]:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    path = _SPEC.child("strategy")
    if kind == "Recreate":
        text = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden(path.child("rollingUpdate"), text)] if rolling is not None else []
    if kind == "RollingUpdate":
        return _check_rolling(rolling or {}, path.child("rollingUpdate"))
    shown = {"Type": kind, "RollingUpdate": rolling}
    return [not_supported(path, shown, ("Recreate", "RollingUpdate"))]


def _check_rolling(rolling: Object, path: Path) -> list[FieldError]:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    errors = number_or_percent(unavailable, path.child("maxUnavailable"))
    errors.extend(number_or_percent(surge, path.child("maxSurge")))
    if is_zero(unavailable) and is_zero(surge):
        text = "may not be 0 when `maxSurge` is 0"
        errors.append(invalid(path.child("maxUnavailable"), unavailable, text))
    errors.extend(above_hundred(unavailable, path.child("maxUnavailable")))
    return errors


def check_replica_set(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = not_negative(spec, _SPEC, "replicas", "minReadySeconds")
    errors.extend(selector_of_template(spec, "replicaset", _SPEC))
    errors.extend(_check_template(spec))
    return errors


def check_daemon_set(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = selector_of_template(spec, "daemonset", _SPEC)
    errors.extend(_check_template(spec))
    errors.extend(not_negative(spec, _SPEC, "minReadySeconds", "revisionHistoryLimit"))
    strategy = spec.get("updateStrategy") or {}
    path = _SPEC.child("updateStrategy")
    if strategy.get("type") not in ("OnDelete", "RollingUpdate"):
        errors.append(not_supported(path.child("type"), strategy.get("type"), ("RollingUpdate", "OnDelete")))
    elif strategy["type"] == "RollingUpdate":
        errors.extend(_check_daemon_rolling(strategy.get("rollingUpdate") or {}, path.child("rollingUpdate")))
    return errors


def _check_daemon_rolling(rolling: Object, path: Path) -> list[FieldError]:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    errors = number_or_percent(unavailable, path.child("maxUnavailable"))
    errors.extend(number_or_percent(surge, path.child("maxSurge")))
    if not is_zero(unavailable) and not is_zero(surge):
        text = "may not be set when maxUnavailable is non-zero"
        errors.append(invalid(path.child("maxSurge"), surge, text))
    elif is_zero(unavailable) and is_zero(surge):
        text = "cannot be 0 when maxSurge is 0"
        errors.append(invalid(path.child("maxUnavailable"), unavailable, text))
    return errors


def check_stateful_set(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    if spec.get("podManagementPolicy") not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        errors.append(invalid(_SPEC.child("podManagementPolicy"), spec.get("podManagementPolicy"), text))
    strategy = (spec.get("updateStrategy") or {}).get("type")
    if strategy not in ("OnDelete", "RollingUpdate"):
        path = _SPEC.child("updateStrategy")
        errors.append(invalid(path, spec.get("updateStrategy"), "must be 'RollingUpdate' or 'OnDelete'"))
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for key in ("whenDeleted", "whenScaled"):
        if retention.get(key) not in ("Retain", "Delete"):
            path = _SPEC.child("persistentVolumeClaimRetentionPolicy", key)
            errors.append(not_supported(path, retention.get(key), ("Delete", "Retain")))
    errors.extend(not_negative(spec, _SPEC, "replicas", "minReadySeconds", "revisionHistoryLimit"))
    if (spec.get("ordinals") or {}).get("start", 0) < 0:
        errors.extend(not_negative(spec["ordinals"], _SPEC.child("ordinals"), "start"))
    errors.extend(selector_of_template(spec, "statefulset", _SPEC))
    errors.extend(_check_template(_with_claims(spec)))
    return errors


_STATEFUL_TEXT = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_STATEFUL_MUTABLE = frozenset(
    (
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    )
)


def _check_stateful_update(new: Object, old: Object) -> list[FieldError]:
    after, before = new.get("spec") or {}, old.get("spec") or {}
    fixed = [{k: v for k, v in spec.items() if k not in _STATEFUL_MUTABLE} for spec in (after, before)]
    return [] if fixed[0] == fixed[1] else [forbidden(_SPEC, _STATEFUL_TEXT)]


def _selector_fixed(new: Object, old: Object) -> list[FieldError]:
    after, before = (new.get("spec") or {}).get("selector"), (old.get("spec") or {}).get("selector")
    return immutable(_SPEC.child("selector"), after, before)


def _check_revision(obj: Object) -> list[FieldError]:
    return [] if (obj.get("revision") or 0) >= 0 else not_negative(obj, Path("revision"), "revision")


def _check_revision_update(new: Object, old: Object) -> list[FieldError]:
    return immutable("data", new.get("data"), old.get("data"))


def _replicas(obj: Object) -> dict[str, str]:
    return {"status.replicas": str((obj.get("status") or {}).get("replicas") or 0)}


def _deployment_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return [
        name_of(obj),
        f"{status.get('readyReplicas') or 0}/{spec.get('replicas') or 0}",
        status.get("updatedReplicas") or 0,
        status.get("availableReplicas") or 0,
        age_of(obj, now),
        *template_cells(spec),
    ]


def _replica_set_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return [
        name_of(obj),
        spec.get("replicas") or 0,
        status.get("replicas") or 0,
        status.get("readyReplicas") or 0,
        age_of(obj, now),
        *template_cells(spec),
    ]


def _daemon_set_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    counts = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    template = (spec.get("template") or {}).get("spec") or {}
    return [
        name_of(obj),
        *(status.get(key) or 0 for key in counts),
        labels_text(template.get("nodeSelector")),
        age_of(obj, now),
        *template_cells(spec),
    ]


def _stateful_set_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ready = f"{status.get('readyReplicas') or 0}/{spec.get('replicas') or 0}"
    return [name_of(obj), ready, age_of(obj, now), *container_cells((spec.get("template") or {}).get("spec"))]


def _revision_row(obj: Object, now: float) -> list[Any]:
    owner = controller_of(obj["metadata"])
    text = NONE
    if owner is not None:
        group = owner.get("apiVersion", "").rpartition("/")[0]
        kind = owner.get("kind", "").lower()
        text = f"{kind}.{group}/{owner.get('name')}" if group else f"{kind}/{owner.get('name')}"
    return [name_of(obj), text, obj.get("revision") or 0, age_of(obj, now)]


_WIDE = ("Containers*", "Images*", "Selector*")

RULES = (
    Rules(
        group="apps",
        kind="Deployment",
        has_status=True,
        counts=_deployment_changed,
        default=default_deployment,
        status=_keep_labels,
        check=check_deployment,
        check_update=_selector_fixed,
        columns=columns("Name", "Ready", "Up-to-date", "Available", "Age", *_WIDE),
        row=_deployment_row,
    ),
    Rules(
        group="apps",
        kind="ReplicaSet",
        has_status=True,
        counts=spec_changed,
        default=default_replica_set,
        check=check_replica_set,
        check_update=_selector_fixed,
        own_fields=_replicas,
        columns=columns("Name", "Desired:int", "Current:int", "Ready:int", "Age", *_WIDE),
        row=_replica_set_row,
    ),
    Rules(
        group="apps",
        kind="DaemonSet",
        has_status=True,
        counts=spec_changed,
        default=default_daemon_set,
        create=_count_template,
        update=_recount_template,
        check=check_daemon_set,
        check_update=_selector_fixed,
        columns=columns(
            "Name",
            "Desired:int",
            "Current:int",
            "Ready:int",
            "Up-to-date:int",
            "Available:int",
            "Node Selector",
            "Age",
            *_WIDE,
        ),
        row=_daemon_set_row,
    ),
    Rules(
        group="apps",
        kind="StatefulSet",
        name_rule=dns_label,
        has_status=True,
        counts=spec_changed,
        default=default_stateful_set,
        check=check_stateful_set,
        check_update=_check_stateful_update,
        columns=columns("Name", "Ready", "Age", "Containers*", "Images*"),
        row=_stateful_set_row,
    ),
    Rules(
        group="apps",
        kind="ControllerRevision",
        check=_check_revision,
        check_update=_check_revision_update,
        columns=columns("Name", "Controller", "Revision", "Age"),
        row=_revision_row,
    ),
)
