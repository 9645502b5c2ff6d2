"""The rules of Job and CronJob."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from orchestrator.api.cells import NONE, age_of, boolean, columns, container_cells, name_of, template_cells
from orchestrator.api.core.pod_defaults import default_template
from orchestrator.api.core.pod_validation import MAX_INT32, validate_template
from orchestrator.api.counts import not_negative
from orchestrator.api.strategy import Rules, setdefault, spec_changed
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, immutable, invalid, not_supported, required
from orchestrator.apimachinery.selectors import selector_text
from orchestrator.apimachinery.timestamps import age, parse_time, short_duration

_SPEC = Path("spec")
_PREFIX = "batch.kubernetes.io/"
_RESTART = ("OnFailure", "Never")
_CONCURRENCY = ("Allow", "Forbid", "Replace")
MAX_CRON_NAME = 52
_STATES = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("", "Terminating"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def default_job(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    setdefault(spec, "parallelism", 1)
    setdefault(spec, "backoffLimit", MAX_INT32 if spec.get("backoffLimitPerIndex") is not None else 6)
    setdefault(spec, "completionMode", "NonIndexed")
    setdefault(spec, "suspend", False)
    setdefault(spec, "manualSelector", False)
    replaced = "Failed" if spec.get("podFailurePolicy") is not None else "TerminatingOrFailed"
    setdefault(spec, "podReplacementPolicy", replaced)
    template = spec.setdefault("template", {})
    default_template(template)
    _default_failure_policy(spec.get("podFailurePolicy"))
    labels = template["metadata"].get("labels")
    if labels and not obj["metadata"].get("labels"):
        # The very same labels: what the server adds to the template's it adds to the job's, as upstream does.
        obj["metadata"]["labels"] = labels


def _default_failure_policy(policy: Object | None) -> None:
    for rule in (policy or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            if not pattern.get("status"):
                pattern["status"] = "True"


def default_cron_job(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    setdefault(spec, "concurrencyPolicy", "Allow")
    setdefault(spec, "suspend", False)
    setdefault(spec, "successfulJobsHistoryLimit", 3)
    setdefault(spec, "failedJobsHistoryLimit", 1)
    job = spec.setdefault("jobTemplate", {})
    job.setdefault("metadata", {})
    default_template(job.setdefault("spec", {}).setdefault("template", {}))


def _create_job(obj: Object) -> None:
    """The server writes the selector, from the job's uid, unless the user said that he does."""
    spec, meta = obj["spec"], obj["metadata"]
    if spec.get("manualSelector"):
        return
    uid, name = meta.get("uid", ""), meta.get("name", "")
    identity = {
        f"{_PREFIX}controller-uid": uid,
        f"{_PREFIX}job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    template = spec["template"].setdefault("metadata", {})
    labels = {**(template.get("labels") or {}), **identity}
    if not meta.get("labels") or meta["labels"] is template.get("labels"):
        meta["labels"] = dict(labels)
    template["labels"] = labels
    selector = spec.get("selector") or {}
    matched = {**(selector.get("matchLabels") or {}), f"{_PREFIX}controller-uid": uid}
    spec["selector"] = {**selector, "matchLabels": matched}


def check_job_spec(spec: Object, path: Path) -> list[FieldError]:
    numbers = (
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    )
    errors = not_negative(spec, path, *numbers)
    mode = spec.get("completionMode")
    if mode not in (None, "NonIndexed", "Indexed"):
        errors.append(not_supported(path.child("completionMode"), mode, ("Indexed", "NonIndexed")))
    elif mode == "Indexed" and spec.get("completions") is None:
        text = f"when completion mode is {mode}"
        errors.append(required(path.child("completions"), text))
    if spec.get("backoffLimitPerIndex") is not None and mode != "Indexed":
        text = "requires indexed completion mode"
        errors.append(invalid(path.child("backoffLimitPerIndex"), spec["backoffLimitPerIndex"], text))
    template = spec.get("template") or {}
    place = path.child("template")
    errors.extend(validate_template(template, place))
    if (template.get("spec") or {}).get("restartPolicy") == "Always":
        text = 'valid values: "OnFailure", "Never"'
        errors.append(required(place.child("spec", "restartPolicy"), text))
    return errors


def check_job(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = check_job_spec(spec, _SPEC)
    if spec.get("selector") is None:
        errors.insert(0, required(_SPEC.child("selector")))
    return errors


def _check_job_update(new: Object, old: Object) -> list[FieldError]:
    after, before = new.get("spec") or {}, old.get("spec") or {}
    errors: list[FieldError] = []
    if after.get("completions") != before.get("completions") and not _may_resize(after, before):
        errors.extend(immutable(_SPEC.child("completions"), after.get("completions"), before.get("completions")))
    errors.extend(immutable(_SPEC.child("selector"), after.get("selector"), before.get("selector")))
    if not _may_reschedule(before, old):
        errors.extend(immutable(_SPEC.child("template"), after.get("template"), before.get("template")))
    for key in ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
        errors.extend(immutable(_SPEC.child(key), after.get(key), before.get(key)))
    return errors


def _may_resize(after: Object, before: Object) -> bool:
    """An indexed job may grow and shrink when completions and parallelism stay equal."""
    return before.get("completionMode") == "Indexed" and after.get("completions") == after.get("parallelism")


def _may_reschedule(before: Object, old: Object) -> bool:
    """While a job is suspended and never started its template's placement may be changed."""
    return bool(before.get("suspend")) and not (old.get("status") or {}).get("startTime")


@lru_cache(1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_WORDS = {
    3: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    4: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


def schedule_error(schedule: str) -> str:
    """What is wrong with a cron schedule, in the words of the library that Kubernetes uses; empty when it is good."""
    if schedule.startswith("@"):
        if schedule in _DESCRIPTORS or schedule.startswith("@every "):
            return ""
        return f"unrecognized descriptor: {schedule}"
    parts = schedule.split()
    if len(parts) != 5:
        return f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]"
    for position, part in enumerate(parts):
        for piece in part.split(","):
            error = _piece_error(piece, position)
            if error:
                return error
    return ""


def _piece_error(piece: str, position: int) -> str:
    low, high = _FIELDS[position]
    span, _, step = piece.partition("/")
    if step and (not step.isdigit() or not int(step)):
        return f'failed to parse int from {step}: strconv.Atoi: parsing "{step}": invalid syntax'
    if span in ("*", "?"):
        return ""
    ends = span.split("-")
    numbers: list[int] = []
    for end in ends:
        words = _WORDS.get(position, [])
        if end.lower() in words:
            numbers.append(words.index(end.lower()) + low)
        elif end.isdigit():
            numbers.append(int(end))
        else:
            return f'failed to parse int from {end}: strconv.Atoi: parsing "{end}": invalid syntax'
    if len(ends) > 2:
        return f"too many hyphens: {piece}"
    if numbers[0] < low:
        return f"beginning of range ({numbers[0]}) below minimum ({low}): {piece}"
    if numbers[-1] > high:
        return f"end of range ({numbers[-1]}) above maximum ({high}): {piece}"
    if numbers[0] > numbers[-1]:
        return f"beginning of range ({numbers[0]}) beyond end of range ({numbers[-1]}): {piece}"
    return ""


def check_cron_job(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    schedule = spec.get("schedule") or ""
    if not schedule:
        errors.append(required(_SPEC.child("schedule")))
    elif "TZ" in schedule:
        text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.append(invalid(_SPEC.child("schedule"), schedule, text))
    elif error := schedule_error(schedule):
        errors.append(invalid(_SPEC.child("schedule"), schedule, error))
    zone = spec.get("timeZone")
    if zone is not None and zone not in _zones():
        text = f"unknown time zone {zone}" if zone else "timeZone must be nil or non-empty string"
        errors.append(invalid(_SPEC.child("timeZone"), zone, text))
    if spec.get("concurrencyPolicy") not in _CONCURRENCY:
        errors.append(not_supported(_SPEC.child("concurrencyPolicy"), spec.get("concurrencyPolicy"), _CONCURRENCY))
    errors.extend(
        not_negative(spec, _SPEC, "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    )
    name = obj["metadata"].get("name") or ""
    if len(name) > MAX_CRON_NAME:
        text = "must be no more than 52 characters"
        errors.append(invalid(Path("metadata", "name"), name, text))
    job = spec.get("jobTemplate") or {}
    errors.extend(check_job_spec(job.get("spec") or {}, _SPEC.child("jobTemplate", "spec")))
    return errors


def _job_state(obj: Object) -> str:
    true = {
        each.get("type") for each in (obj.get("status") or {}).get("conditions") or () if each.get("status") == "True"
    }
    for condition, state in _STATES:
        if condition in true or (not condition and obj["metadata"].get("deletionTimestamp")):
            return state
    return "Running"


def _job_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    done, wanted = status.get("succeeded") or 0, spec.get("completions")
    parallel = spec.get("parallelism") or 0
    if wanted is not None:
        completions = f"{done}/{wanted}"
    else:
        completions = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    started, ended = status.get("startTime"), status.get("completionTime")
    duration = ""
    if started:
        duration = short_duration((parse_time(ended) if ended else now) - parse_time(started))
    return [name_of(obj), _job_state(obj), completions, duration, age_of(obj, now), *template_cells(spec)]


def _cron_job_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    last = status.get("lastScheduleTime")
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    return [
        name_of(obj),
        spec.get("schedule") or "",
        spec.get("timeZone") or NONE,
        boolean(spec.get("suspend")),
        len(status.get("active") or ()),
        age(last, now) if last else NONE,
        age_of(obj, now),
        *container_cells((job.get("template") or {}).get("spec")),
        selector_text(job.get("selector")),
    ]


RULES = (
    Rules(
        group="batch",
        kind="Job",
        has_status=True,
        counts=spec_changed,
        default=default_job,
        create=_create_job,
        check=check_job,
        check_update=_check_job_update,
        own_fields=lambda obj: {"status.successful": str((obj.get("status") or {}).get("succeeded") or 0)},
        columns=columns("Name", "Status", "Completions", "Duration", "Age", "Containers*", "Images*", "Selector*"),
        row=_job_row,
    ),
    Rules(
        group="batch",
        kind="CronJob",
        has_status=True,
        counts=spec_changed,
        default=default_cron_job,
        check=check_cron_job,
        columns=columns(
            "Name",
            "Schedule",
            "Timezone",
            "Suspend:bool",
            "Active:int",
            "Last Schedule",
            "Age",
            "Containers*",
            "Images*",
            "Selector*",
        ),
        row=_cron_job_row,
    ),
)
