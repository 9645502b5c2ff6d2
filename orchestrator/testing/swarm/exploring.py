"""Many seeds in order, until one is violated: what the test suite and ``podium simulate`` run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import structlog

from orchestrator.testing.swarm.living import verdict
from orchestrator.testing.swarm.story import describe, draw

PROGRESS_SECONDS = 30.0


def explore(first: int, count: int, *, replay: str, say: Callable[[str], None] = print) -> int:
    """Run ``count`` seeds from ``first`` on; the exit code. ``replay`` is the command, with ``{seed}`` in it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = said = time.monotonic()
    for done, seed in enumerate(range(first, first + count)):
        violations = verdict(seed)
        if violations:
            say(f"seed {seed}: {violations[0]}")
            for more in violations[1:]:
                say(f"  also: {more}")
            say(f"replay: {replay.format(seed=seed)}")
            return 1
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            say(f"{done + 1} of {count} seeds, {(done + 1) / (said - began):.1f} a second")
    say(f"{count} passed, 0 failed")
    return 0


def tell(seed: int, say: Callable[[str], None] = print) -> None:
    """What a seed stands for, line by line."""
    story = draw(seed)
    say(f"seed {seed}: {story.nodes} nodes, containers start in {story.start_seconds:g} s, tight quota: {story.tight}")
    for one in story.workloads:
        say(f"  {one!r}")
    for step in story.steps:
        say(f"  {describe(step)}")
