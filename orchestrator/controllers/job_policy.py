"""What a Job's policies say: of a failed pod (count, ignore, give up), of the indexes that succeeded. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import View
from orchestrator.controllers import job_indexes

COUNT, IGNORE, FAIL_JOB, FAIL_INDEX = "Count", "Ignore", "FailJob", "FailIndex"


class Verdict(msgspec.Struct, frozen=True):
    action: str = COUNT
    message: str = ""


COUNTED = Verdict()


def judge(rules: list[Object], view: View) -> Verdict:
    """The first rule that matches decides; without one the failure counts."""
    for number, rule in enumerate(rules):
        found = _matches(rule, view)
        if found:
            return Verdict(rule["action"], f"{found} matching {rule['action']} rule at index {number}")
    return COUNTED


def _matches(rule: Object, view: View) -> str:
    """How the rule's subject was found in the pod, or nothing."""
    codes = rule.get("onExitCodes")
    if codes:
        return _exit_code(codes, view)
    for pattern in rule.get("onPodConditions") or ():
        for condition in view.status.get("conditions") or ():
            if condition.get("type") == pattern["type"] and condition.get("status") == pattern.get("status", "True"):
                return f"Pod {view.key} has condition {pattern['type']}"
    return ""


def _exit_code(stated: Object, view: View) -> str:
    status = view.status
    for container in [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]:
        ended = (container.get("state") or {}).get("terminated")
        name = stated.get("containerName")
        if not ended or not ended.get("exitCode") or (name and name != container["name"]):
            continue
        if (ended["exitCode"] in stated["values"]) == (stated["operator"] == "In"):
            return f"Container {container['name']} for pod {view.key} failed with exit code {ended['exitCode']}"
    return ""


def success(rules: list[Object], done: Iterable[int]) -> str:
    """The message of the first rule that the succeeded indexes meet, or nothing."""
    held = set(done)
    for number, rule in enumerate(rules):
        stated = rule.get("succeededIndexes")
        counted = held & job_indexes.parse(stated) if stated else held
        wanted = rule.get("succeededCount")
        enough = len(counted) >= wanted if wanted is not None else counted == job_indexes.parse(stated)
        if counted and enough:
            return f"Matched rules at index {number}"
    return ""
