"""Taints of nodes and tolerations of pods (KEP-166, numeric operators KEP-5471)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object

NO_SCHEDULE = "NoSchedule"
NO_EXECUTE = "NoExecute"
PREFER_NO_SCHEDULE = "PreferNoSchedule"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


class Taint(msgspec.Struct, frozen=True, array_like=True):
    key: str
    value: str
    effect: str


class Toleration(msgspec.Struct, frozen=True, array_like=True):
    """An empty key tolerates every key, an empty effect every effect."""

    key: str
    operator: str
    value: str
    effect: str

    def tolerates(self, taint: Taint) -> bool:
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        match self.operator:
            case "Exists":
                return True
            case "Lt" | "Gt":
                return self._compares(taint.value)
        return self.value == taint.value

    def _compares(self, value: str) -> bool:
        try:
            ours, theirs = int(self.value), int(value)
        except ValueError:
            return False
        return theirs < ours if self.operator == "Lt" else theirs > ours


def taints(spec: Object) -> tuple[Taint, ...]:
    return tuple(Taint(t.get("key", ""), t.get("value", ""), t.get("effect", "")) for t in spec.get("taints") or ())


def tolerations(spec: Object) -> tuple[Toleration, ...]:
    return tuple(
        Toleration(t.get("key", ""), t.get("operator") or "Equal", t.get("value", ""), t.get("effect", ""))
        for t in spec.get("tolerations") or ()
    )


def tolerated(taint: Taint, allowed: Sequence[Toleration]) -> bool:
    return any(toleration.tolerates(taint) for toleration in allowed)


def keeps_out(node: Sequence[Taint], allowed: Sequence[Toleration]) -> bool:
    """Some taint of the node that forbids scheduling is not tolerated."""
    return any(taint.effect in (NO_SCHEDULE, NO_EXECUTE) and not tolerated(taint, allowed) for taint in node)


def unwelcome(node: Sequence[Taint], allowed: Sequence[Toleration]) -> int:
    """How many ``PreferNoSchedule`` taints of the node are not tolerated."""
    return sum(taint.effect == PREFER_NO_SCHEDULE and not tolerated(taint, allowed) for taint in node)
