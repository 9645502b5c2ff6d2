"""The digest of every frame of a swarm's seed: ``python -m tests.cluster.trace SEED``."""

from __future__ import annotations

import asyncio
import logging
import sys

import structlog

from orchestrator.testing.record import Recording
from orchestrator.testing.swarm.living import GuardedLoop, live
from orchestrator.testing.swarm.story import draw


def main() -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seed, recording = int(sys.argv[1]), Recording()
    loop = GuardedLoop(seed)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        life = runner.run(live(draw(seed), tap=recording.note))
    print(len(life.violations), recording.count, recording.digest())
    return 0


if __name__ == "__main__":
    sys.exit(main())
