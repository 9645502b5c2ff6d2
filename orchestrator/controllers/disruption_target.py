"""The condition that says why a pod is about to be deleted, for Jobs and people to read. Pure."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import PODS
from orchestrator.client.protocol import Request, Want
from orchestrator.client.requests import patch
from orchestrator.client.view import View
from orchestrator.controllers import conditions

DISRUPTION_TARGET = "DisruptionTarget"


def disrupted(view: View, reason: str, message: str, now: float, *, phase: str = "") -> Request:
    """A status patch with the condition, and with ``phase`` when it is given."""
    made = conditions.make(DISRUPTION_TARGET, True, reason, message, now)
    status: Object = {"conditions": conditions.put(view.status.get("conditions") or [], made)}
    if phase:
        status["phase"] = phase
    change = {"metadata": {"uid": view.uid}, "status": status}
    return patch(PODS, view.name, view.namespace, change, subresource="status", want=Want.REVISION)
