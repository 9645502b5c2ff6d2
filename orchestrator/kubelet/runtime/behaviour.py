"""How simulated containers behave, by image or label: delays, ends, readiness, figures, log lines. Pure.

Rules are tried in order and the first that matches decides; ``DEFAULT_RULES`` make the images that Kubernetes' own
tests expect to be missing missing, and let the pods of a Job complete.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase

import msgspec

from orchestrator.kubelet.runtime.stage import Stage

Curve = Callable[[float, float], float]
Commands = Callable[[list[str]], tuple[int, str]]
Play = Callable[[Stage], Awaitable[int | None]]


class Behaviour(msgspec.Struct, frozen=True):
    """The life of one container. Seconds of 0 happen at once; ``run_seconds`` None runs until it is stopped."""

    pull_error: str = ""
    """Not empty: the image cannot be had, with this message."""
    start_seconds: float = 0.0
    jitter_seconds: float = 0.0
    """Added to ``start_seconds``, drawn evenly from 0 to this."""
    run_seconds: float | None = None
    exit_code: int = 0
    stop_seconds: float = 0.0
    """From the stop signal to the end; longer than the grace means killed."""
    stop_exit_code: int = 0
    ready_after_seconds: float = 0.0
    ready: bool = True
    healthy_seconds: float | None = None
    """Liveness probes fail after so long; None: never."""
    cpu_millis: float = 1.0
    memory_bytes: int = 16 * 1024 * 1024
    cpu_curve: Curve | None = None
    """Milli-CPU by age and wall time, in seconds, in place of ``cpu_millis``."""
    memory_curve: Curve | None = None
    """Bytes, in place of ``memory_bytes``."""
    flapping: tuple[float, float] | None = None
    """Ready for so many seconds, then not for so many, again and again."""
    log_lines: tuple[str, ...] = ()
    """Written at the start."""
    timed_lines: tuple[tuple[float, str], ...] = ()
    """Written at these ages, in order."""
    http: dict[str, tuple[int, str]] = {}
    """Code and body by path, for HTTP probes, port-forward and the proxy; a path that is not here is a 404."""
    commands: Commands | None = None
    """Answers exec: exit code and output. None: every command succeeds and says nothing."""
    play: Play | None = None
    """Plays the container: its end is the container's, what it returns the exit code, and an exception is a crash."""


class Rule(msgspec.Struct, frozen=True):
    """Matches when the image fits the shell pattern ``image`` and the pod has the label, if one is given."""

    behaviour: Behaviour
    image: str = "*"
    label: str = ""
    value: str | None = None

    def matches(self, image: str, labels: dict[str, str]) -> bool:
        if self.label:
            found = labels.get(self.label)
            if found is None or (self.value is not None and found != self.value):
                return False
        return self.image == "*" or fnmatchcase(image, self.image)


_MISSING = Behaviour(pull_error="manifest unknown: the simulated registry does not have it")

DEFAULT_RULES = (
    Rule(_MISSING, image="*:non-existent"),
    Rule(_MISSING, image="webserver:404"),
    Rule(Behaviour(run_seconds=0.0), label="batch.kubernetes.io/job-name"),
)
DEFAULT = Behaviour()
MAX_REMEMBERED = 1024
"""Answers that are kept; all are forgotten when there are more."""


class Behaviours:
    """An ordered set of rules."""

    def __init__(self, rules: tuple[Rule, ...] = (), *, default: Behaviour = DEFAULT) -> None:
        self._rules = (*rules, *DEFAULT_RULES)
        self._default = default
        self._labels = sorted({rule.label for rule in self._rules if rule.label})
        self._found: dict[tuple[str, ...], Behaviour] = {}

    def of(self, image: str, labels: dict[str, str]) -> Behaviour:
        key = (image, *[f"={labels[label]}" if label in labels else "" for label in self._labels])
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= MAX_REMEMBERED:
                self._found.clear()
            found = self._found[key] = self._first(image, labels)
        return found

    def _first(self, image: str, labels: dict[str, str]) -> Behaviour:
        for rule in self._rules:
            if rule.matches(image, labels):
                return rule.behaviour
        return self._default
