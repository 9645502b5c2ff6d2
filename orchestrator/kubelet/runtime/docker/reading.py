"""What the engine says of containers, as the runtime's own records. Pure."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.kubelet.runtime.docker.specification import ATTEMPT, CONTAINER, IMAGE_NAME, POD_UID
from orchestrator.kubelet.runtime.runtime import Container, ContainerFigures, Sandbox, State

START_FAILED = 128
SIGNALLED = 128
NEVER = "0001-"
"""How the engine's zero time begins."""

Shown = dict[str, Any]
"""The engine's answer to an inspection."""


def moment(text: str) -> float:
    return 0.0 if not text or text.startswith(NEVER) else parse_time(text)


def is_sandbox(labels: dict[str, str]) -> bool:
    return CONTAINER not in labels


def read_sandbox(shown: Shown) -> Sandbox:
    labels = shown["Config"]["Labels"]
    return Sandbox(
        shown["Id"],
        labels[POD_UID],
        int(labels[ATTEMPT]),
        bool(shown["State"]["Running"]),
        _address(shown.get("NetworkSettings") or {}),
        moment(shown["Created"]),
    )


def _address(settings: Shown) -> str:
    if settings.get("IPAddress"):
        return str(settings["IPAddress"])
    networks = settings.get("Networks") or {}
    return next((str(one["IPAddress"]) for one in networks.values() if one.get("IPAddress")), "")


def read_container(shown: Shown, message: str) -> Container:
    """``message`` is the termination message, if the container has ended and left one."""
    labels, state = shown["Config"]["Labels"], shown["State"]
    phase, code, reason = _phase(state)
    created = moment(shown["Created"])
    failed = reason == "StartError"
    return Container(
        shown["Id"],
        labels[POD_UID],
        labels[CONTAINER],
        int(labels[ATTEMPT]),
        labels[IMAGE_NAME],
        shown["Image"],
        phase,
        created,
        created if failed else moment(state.get("StartedAt", "")),
        (moment(state.get("FinishedAt", "")) or created) if phase is State.EXITED else 0.0,
        code,
        code - SIGNALLED if phase is State.EXITED and code in (137, 143) else 0,
        reason,
        state.get("Error", "") if failed else message,
    )


def _phase(state: Shown) -> tuple[State, int, str]:
    """State, exit code and reason. A container that was made and could not start has ended before it began."""
    status, code = state["Status"], int(state.get("ExitCode") or 0)
    if status in ("running", "paused", "restarting"):
        return State.RUNNING, 0, ""
    if status == "created":
        return (State.EXITED, START_FAILED, "StartError") if code else (State.CREATED, 0, "")
    return State.EXITED, code, "OOMKilled" if state.get("OOMKilled") else ""


def read_figures(name: str, stats: Shown, started_at: float) -> ContainerFigures:
    memory = stats.get("memory_stats") or {}
    cache = (memory.get("stats") or {}).get("inactive_file", 0)
    cpu = int(((stats.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage") or 0)
    return ContainerFigures(name, cpu, max(int(memory.get("usage") or 0) - int(cache), 0), started_at)
