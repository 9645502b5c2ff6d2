"""A run of a whole cluster, with rollouts, kills, a lost node and deletes; prints the digest of its frames.

Run by the tests as ``python story.py SEED`` in processes with different hash seeds.
"""

from __future__ import annotations

import logging
import sys

import structlog

from actors.testing import run
from orchestrator.client.kinds import DEPLOYMENTS
from orchestrator.embedding import Cluster
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule
from orchestrator.testing import Recording
from tests.cluster.objects import deployment, rolled_out, service

APPLICATIONS = ("one", "two", "three")
KILLED = ("server/apiserver", "nodes/node-1", "control-plane/controllers/replicaset", "server/store", "informers")


async def main(seed: int, recording: Recording) -> None:
    async with Cluster(nodes=5, seed=seed, tap=recording.note) as cluster:
        cluster.behave(Rule(Behaviour(start_seconds=0.1, jitter_seconds=0.2)))
        clock = cluster.system.clock
        for name in APPLICATIONS:
            await cluster.apply(deployment(name))
            await cluster.apply(service(name))
        for name in APPLICATIONS:
            await cluster.wait(f"deployment/{name}", rolled_out)
            await cluster.apply(deployment(name, image="nginx:2"))
        for path in KILLED:
            await cluster.kill(path)
            await clock.sleep(0.3)
        await cluster.power_off("node-5")
        await clock.sleep(400.0)
        await cluster.client.delete(DEPLOYMENTS, "one", "default", propagation="Foreground")
        await cluster.settle()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    number = int(sys.argv[1])
    frames = Recording()
    run(main(number, frames), seed=number, shuffle=True)
    print(frames.count, frames.digest())
