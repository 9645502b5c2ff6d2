"""What a wait that failed says: what was waited for, what was missing, why, and how to see it again. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.embedding.fitting import why_no_node
from orchestrator.embedding.goal import condition
from orchestrator.embedding.reference import title_of_key
from orchestrator.identities import MASTERS
from orchestrator.store.protocol import Step

SHOWN_PODS = 3
"""Pods that are told one by one; the others are counted."""
YOU = "you"
"""Who an embedder is in a chain of causes."""


class Evidence(msgspec.Struct, frozen=True):
    """What the cluster said when the wait ended. ``pods`` belong to the object, ``all_pods`` to anybody."""

    found: Object | None
    pods: Sequence[Object] = ()
    nodes: Sequence[Object] = ()
    all_pods: Sequence[Object] = ()
    steps: Sequence[Step] = ()
    """How the first pod that is told came to be wanted, newest first."""
    trigger: Sequence[Step] = ()
    """What had it made at that moment, where that is something else: newest first, without the pod itself."""


class Unmet(AssertionError):
    """A goal was not met in time. ``last`` is the object as it was seen last; the message tells the rest."""

    def __init__(self, what: str, goal: str, seconds: float, evidence: Evidence, replay: str = "") -> None:
        self.what = what
        self.goal = goal
        self.seconds = seconds
        self.evidence = evidence
        self.last = evidence.found
        self.replay = replay
        super().__init__(self.text())

    def text(self) -> str:
        lines = [f"waited for {self.what} {self.goal}: {missing(self.evidence, self.goal)}"]
        lines += pod_lines(self.evidence)
        if self.evidence.steps:
            lines.append(f"  because: {chain(self.evidence.steps)}")
        if self.evidence.trigger:
            lines.append(f"  after: {chain(self.evidence.trigger)}")
        if self.replay:
            lines.append(f"replay: {self.replay}")
        return "\n".join(lines)


def missing(evidence: Evidence, goal: str) -> str:
    """The first line's second half: ``2 of 3 pods ready``, or the condition as it stands."""
    found = evidence.found
    if found is None:
        return "it is not there"
    wanted = (found.get("spec") or {}).get("replicas", len(evidence.pods))
    ready = sum(is_ready(pod) for pod in evidence.pods)
    parts = []
    if evidence.pods or isinstance((found.get("spec") or {}).get("replicas"), int):
        parts.append(f"{ready} of {wanted} pods ready")
    if not parts or ready >= wanted or not evidence.pods:
        parts += _condition_lines(found, goal)
    return "; ".join(parts)


def _condition_lines(found: Object, goal: str) -> list[str]:
    name = goal.partition("=")[0]
    status = found.get("status") or {}
    failed = condition(found, "ReplicaFailure")
    if failed is not None:
        return [f"pods cannot be made: {failed.get('message', failed.get('reason', ''))}"]
    held = condition(found, name)
    if held is not None:
        reason = ": ".join(held[one] for one in ("reason", "message") if held.get(one))
        return [f"{held['type']} is {held['status']}" + (f" ({reason})" if reason else "")]
    if "phase" in status:
        return [f"its phase is {status['phase']}"]
    known = ", ".join(f"{one['type']}={one['status']}" for one in status.get("conditions") or ())
    return [f"it has the conditions {known}" if known else "it has no condition yet"]


def pod_lines(evidence: Evidence) -> list[str]:
    """One line for each of the first pods that are not ready."""
    troubled = troubled_pods(evidence.pods)
    lines = [
        f"  pod/{pod['metadata']['name']}  {phase(pod)}  {why_not_ready(pod, evidence.nodes, evidence.all_pods)}"
        for pod in troubled[:SHOWN_PODS]
    ]
    if len(troubled) > SHOWN_PODS:
        lines.append(f"  and {len(troubled) - SHOWN_PODS} more pods that are not ready")
    return lines


def troubled_pods(pods: Sequence[Object]) -> list[Object]:
    """Those that are not ready and did not end well; terminating ones only when there are no others."""
    found = [pod for pod in pods if not is_ready(pod) and phase(pod) != "Succeeded"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]] or found


def phase(pod: Object) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    return str((pod.get("status") or {}).get("phase", "Pending"))


def is_ready(pod: Object) -> bool:
    held = condition(pod, "Ready")
    return held is not None and held.get("status") == "True" and "deletionTimestamp" not in pod["metadata"]


def why_not_ready(pod: Object, nodes: Sequence[Object], pods: Sequence[Object]) -> str:
    """The most telling fact about a pod that is not ready."""
    if not pod["spec"].get("nodeName"):
        scheduled = condition(pod, "PodScheduled") or {}
        return why_no_node(pod, nodes, pods) or str(scheduled.get("message") or "not scheduled yet")
    node = next((held for held in nodes if held["metadata"]["name"] == pod["spec"]["nodeName"]), None)
    if node is None or (condition(node, "Ready") or {}).get("status") != "True":
        return f"its node {pod['spec']['nodeName']} is {'not ready' if node else 'gone'}"
    status = pod.get("status") or {}
    held = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    told = [text for text in map(_container, held) if text]
    where = f"on {pod['spec']['nodeName']}"
    return f"{'; '.join(told) or status.get('message') or 'its containers have not started'}, {where}"


def _container(held: Object) -> str:
    name, state, restarts = held["name"], held.get("state") or {}, held.get("restartCount", 0)
    again = f", restarted {restarts} times" if restarts else ""
    if "waiting" in state:
        waiting = state["waiting"]
        detail = f": {waiting['message']}" if waiting.get("message") else ""
        return f"container {name} waits: {waiting.get('reason', 'unknown')}{detail}{again}"
    if "terminated" in state and state["terminated"].get("exitCode"):
        return f"container {name} ended with {state['terminated']['exitCode']}{again}"
    if "running" in state and not held.get("ready"):
        return f"container {name} runs but is not ready{again}"
    return ""


def chain(steps: Sequence[Step]) -> str:
    """``deployment/web (you, revision 12) -> replicaset/web-7d4 (revision 13)``: how it began comes first."""
    told = []
    for number, step in enumerate(reversed(steps)):
        who = YOU if step.actor == MASTERS.user else step.actor.rpartition("/")[2]
        began = f"{who}, " if number == 0 and who else ""
        what = f"{title_of_key(step.key)} deleted" if step.deleted else title_of_key(step.key)
        told.append(f"{what} ({began}revision {step.revision})")
    return " -> ".join(told)
