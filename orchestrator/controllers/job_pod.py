"""The pods of a Job: how they are made, which index they have, how they ended. Pure."""

from __future__ import annotations

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import Selector, from_label_selector
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.view import View
from orchestrator.controllers.pods import SUCCEEDED, condition, pod
from orchestrator.controllers.template import pod_object

TRACKING = "batch.kubernetes.io/job-tracking"
"""The finalizer that holds an ended pod until it is counted."""
INDEX = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
INDEX_IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
MAX_HOSTNAME = 63


class JobFacts(msgspec.Struct, frozen=True):
    """What the spec of a Job says, with its defaults."""

    selector: Selector
    parallelism: int
    completions: int | None
    indexed: bool
    suspended: bool
    backoff_limit: int
    index_limit: int | None
    max_failed_indexes: int | None
    deadline: float | None
    failure_rules: list[Object]
    success_rules: list[Object]
    only_failed: bool
    """A pod is replaced when it has ended, not when it begins to."""
    restarts_in_place: bool
    managed_elsewhere: bool


def facts(view: View) -> JobFacts:
    spec = view.spec
    failure = (spec.get("podFailurePolicy") or {}).get("rules") or []
    per_index = spec.get("backoffLimitPerIndex")
    template = (spec.get("template") or {}).get("spec") or {}
    return JobFacts(
        from_label_selector(spec.get("selector")),
        spec.get("parallelism", 1),
        spec.get("completions"),
        spec.get("completionMode") == "Indexed",
        bool(spec.get("suspend")),
        spec.get("backoffLimit", 6 if per_index is None else 2**31 - 1),
        per_index,
        spec.get("maxFailedIndexes"),
        spec.get("activeDeadlineSeconds"),
        failure,
        (spec.get("successPolicy") or {}).get("rules") or [],
        bool(failure) or spec.get("podReplacementPolicy") == "Failed",
        template.get("restartPolicy") == "OnFailure",
        spec.get("managedBy", "kubernetes.io/job-controller") != "kubernetes.io/job-controller",
    )


def job_selector(view: View) -> Selector:
    return view.facts(facts).selector


def tracked(view: View) -> bool:
    """Not counted yet."""
    return TRACKING in view.meta.finalizers


def index_of(view: View) -> int | None:
    text = view.annotations.get(INDEX, "")
    return int(text) if text.isdigit() else None


def count_in(view: View, annotation: str) -> int:
    text = view.annotations.get(annotation, "")
    return int(text) if text.isdigit() else 0


def succeeded(view: View) -> bool:
    return pod(view).phase == SUCCEEDED


def ended(view: View) -> bool:
    """Nothing of it runs: it has finished, or it is being deleted and has no node that would still end it.

    A grace of 0 is what a kubelet deletes with when all containers are gone.
    """
    held = pod(view)
    return held.finished or (view.deleting and (not held.node or view.meta.deletionGracePeriodSeconds == 0))


def failed(view: View, wanted: JobFacts) -> bool:
    """One that is being deleted counts as failed at once, unless only ended pods are to be replaced."""
    if succeeded(view):
        return False
    return ended(view) or (view.deleting and not wanted.only_failed)


def ended_at(view: View, now: float) -> float:
    """When the last container ended, or the nearest to it that is known."""
    moments = []
    for status in view.status.get("containerStatuses") or ():
        finished = ((status.get("state") or {}).get("terminated") or {}).get("finishedAt")
        if finished:
            moments.append(parse_time(finished))
    if moments:
        return max(moments)
    held = condition(view, "Ready")
    if held is not None and held.lastTransitionTime:
        return parse_time(held.lastTransitionTime)
    return parse_time(view.meta.deletionTimestamp) if view.meta.deletionTimestamp else now


def make_pod(owner: View, wanted: JobFacts, reference: Object, index: int | None, failures: tuple[int, int]) -> Object:
    """A pod of the job; ``index`` None where pods are alike. ``failures``: counted and ignored ones of the index."""
    template = owner.spec.get("template") or {}
    base = owner.name if index is None else f"{owner.name}-{index}"
    made = pod_object(template, owner.namespace, reference, generate_name=f"{base[: MAX_HOSTNAME - 6]}-")
    metadata = made["metadata"]
    metadata["finalizers"] = [*metadata.get("finalizers", ()), TRACKING]
    if index is None:
        return made
    added = {INDEX: str(index)}
    if wanted.index_limit is not None:
        added[INDEX_FAILURES] = str(failures[0])
        if failures[1]:
            added[INDEX_IGNORED] = str(failures[1])
    metadata["annotations"] = {**metadata.get("annotations", {}), **added}
    metadata["labels"] = {**metadata.get("labels", {}), INDEX: str(index)}
    spec = {**made["spec"], "hostname": f"{owner.name[: MAX_HOSTNAME - len(str(index)) - 1]}-{index}"}
    for name in ("initContainers", "containers"):
        if spec.get(name):
            spec[name] = [_told(container) for container in spec[name]]
    return {**made, "spec": spec}


def _told(container: Object) -> Object:
    """The container with its index in the environment."""
    stated = container.get("env") or []
    if any(variable.get("name") == INDEX_VARIABLE for variable in stated):
        return container
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
    return {**container, "env": [*stated, {"name": INDEX_VARIABLE, "valueFrom": source}]}
