"""A day of a CronJob and an autoscaler, in virtual time."""

import math

import pytest

from orchestrator import Behaviour, Rule

HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 2,
        "maxReplicas": 8,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
            }
        ],
    },
}


@pytest.mark.cluster(nodes=1)
async def test_a_backup_is_made_every_hour(cluster):
    await cluster.apply("backup.yaml")
    await cluster.advance(hours=24, minutes=1)  # and what the last of them takes
    jobs = await cluster.list("jobs")
    assert len(jobs) == 24
    assert all(job.status.succeeded == 1 for job in jobs)


@pytest.mark.cluster(nodes=1)
async def test_replicas_follow_the_load_of_a_day(cluster):
    def load(age, now):  # of one pod, in thousandths of a CPU
        return 60 + 50 * math.sin(2 * math.pi * now / 86_400)

    cluster.behave(Rule(Behaviour(cpu_curve=load), image="nginx:*"))
    await cluster.apply("web.yaml")
    await cluster.apply(HPA)
    seen = set()
    for _ in range(18):
        await cluster.advance(hours=1)
        seen.add((await cluster.get("deployment/web")).spec.replicas)
    assert min(seen) == 2
    assert max(seen) == 8
