"""Whether and why a Job is over: the decision, and the conditions that say it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.view import View
from orchestrator.controllers import conditions, job_policy
from orchestrator.controllers.job_accounting import Tally
from orchestrator.controllers.job_pod import JobFacts

COMPLETE, FAILED = "Complete", "Failed"
FAILURE_TARGET, SUCCESS_CRITERIA = "FailureTarget", "SuccessCriteriaMet"
BY_POLICY = "SuccessPolicy"
_INTERIM = {COMPLETE: SUCCESS_CRITERIA, FAILED: FAILURE_TARGET}


class End(msgspec.Struct, frozen=True):
    """``type`` is the condition that will be written when every pod has ended and is counted."""

    type: str
    reason: str
    message: str

    @property
    def interim(self) -> str:
        """The condition that is written at once."""
        return _INTERIM[self.type]


def finished(job: View) -> bool:
    held = job.status.get("conditions") or ()
    return conditions.is_true(held, COMPLETE) or conditions.is_true(held, FAILED)


def decide(job: View, wanted: JobFacts, done: Tally, live: Sequence[View], now: float) -> End | None:
    """What was decided before stands; otherwise failures go before success."""
    return (
        _decided(job.status.get("conditions") or ())
        or _failure(job, wanted, done, live, now)
        or _success(wanted, done, live)
    )


def _decided(held: Sequence[Object]) -> End | None:
    for type, interim in _INTERIM.items():
        found = conditions.find(held, interim)
        if found is not None and found.get("status") == "True":
            return End(type, found.get("reason", ""), found.get("message", ""))
    return None


def _failure(job: View, wanted: JobFacts, done: Tally, live: Sequence[View], now: float) -> End | None:
    if done.fatal:
        return End(FAILED, "PodFailurePolicy", done.fatal)
    if done.failed > wanted.backoff_limit or _restarted_too_often(wanted, live):
        return End(FAILED, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    left = seconds_left(job, wanted, now)
    if left is not None and left <= 0:
        return End(FAILED, "DeadlineExceeded", "Job was active longer than specified deadline")
    return _failed_indexes(wanted, done)


def _failed_indexes(wanted: JobFacts, done: Tally) -> End | None:
    if not done.failed_indexes:
        return None
    if wanted.max_failed_indexes is not None and len(done.failed_indexes) > wanted.max_failed_indexes:
        text = "Job has exceeded the specified maximal number of failed indexes"
        return End(FAILED, "MaxFailedIndexesExceeded", text)
    if wanted.success_rules and job_policy.success(wanted.success_rules, done.completed):
        return None
    if len(done.failed_indexes | done.completed) >= (wanted.completions or 0):
        return End(FAILED, "FailedIndexes", "Job has failed indexes")
    return None


def _success(wanted: JobFacts, done: Tally, live: Sequence[View]) -> End | None:
    if wanted.indexed and wanted.success_rules:
        message = job_policy.success(wanted.success_rules, done.completed)
        if message:
            return End(COMPLETE, BY_POLICY, message)
    if wanted.completions is None:
        enough = done.succeeded > 0 and not live
    else:
        enough = done.succeeded >= wanted.completions and not live
    return End(COMPLETE, "CompletionsReached", "Reached expected number of succeeded pods") if enough else None


def _restarted_too_often(wanted: JobFacts, live: Sequence[View]) -> bool:
    """Containers that restart in place use up the limit too."""
    if not wanted.restarts_in_place:
        return False
    restarts = 0
    for view in live:
        status = view.status
        if status.get("phase") in ("Running", "Pending"):
            for name in ("initContainerStatuses", "containerStatuses"):
                restarts += sum(container.get("restartCount", 0) for container in status.get(name) or ())
    return restarts > 0 if wanted.backoff_limit == 0 else restarts >= wanted.backoff_limit


def seconds_left(job: View, wanted: JobFacts, now: float) -> float | None:
    """Until the active deadline; None when there is none or the job does not run."""
    started = job.status.get("startTime")
    if wanted.deadline is None or wanted.suspended or not started:
        return None
    return parse_time(started) + wanted.deadline - now
