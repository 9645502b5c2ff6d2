"""A day in virtual time: a hundred CronJobs, twenty autoscalers, machines that come and go."""

from __future__ import annotations

import math
import time
from collections import Counter

import pytest

from orchestrator import Cluster
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import DEPLOYMENTS, JOBS
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule

DAY = 86_400
SCHEDULES = (
    *[("* * * * *", 60)] * 2,
    *[("*/5 * * * *", 300)] * 8,
    *[("*/15 * * * *", 900)] * 10,
    *[("0 * * * *", 3600)] * 30,
    *[("30 */6 * * *", 21_600)] * 25,
    *[("15 3 * * *", DAY)] * 25,
)
"""A hundred, from every minute to once a day, with the seconds between two runs."""
AUTOSCALED = 20
MAX_SECONDS = 60.0
LOST_HOUR = 3600.0


def cronjob(number: int, schedule: str) -> Object:
    container = {"name": "main", "image": "work:1", "resources": {"requests": {"cpu": "10m"}}}
    template = {"spec": {"template": {"spec": {"restartPolicy": "OnFailure", "containers": [container]}}}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": f"cron-{number}"},
        "spec": {"schedule": schedule, "jobTemplate": template, "successfulJobsHistoryLimit": 1},
    }


def autoscaled(number: int) -> list[Object]:
    name = f"app-{number}"
    container = {"name": "main", "image": "app:1", "resources": {"requests": {"cpu": "100m"}}}
    labels = {"app": name}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec},
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name},
            "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4, "metrics": [metric]},
        },
    ]


def curve(age: float, moment: float) -> float:
    """Milli-CPU of a pod: quiet at midnight, busy at noon."""
    return 10.0 + 90.0 * (1.0 - math.cos(2.0 * math.pi * moment / DAY)) / 2.0


@pytest.mark.slow
@pytest.mark.real_loop
async def test_a_day_of_cronjobs_and_autoscalers_has_exactly_the_jobs_that_the_schedules_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wall, cpu = time.monotonic(), time.process_time()
    made: Counter[str] = Counter()
    most = 1
    async with Cluster(nodes=5, clock="virtual") as cluster:
        cluster.behave(
            Rule(Behaviour(run_seconds=5.0), image="work:*"), Rule(Behaviour(cpu_curve=curve), image="app:*")
        )
        for number in range(AUTOSCALED):
            await cluster.apply(autoscaled(number))
        for number, (schedule, _) in enumerate(SCHEDULES):
            await cluster.apply(cronjob(number, schedule))
        began = cluster.system.clock.monotonic()
        seen: set[str] = set()
        for hour in range(24):
            if hour in (6, 14):
                await cluster.power_off(f"node-{1 + hour % 5}")
            if hour in (7, 15):
                await cluster.revive(f"node-{1 + (hour - 1) % 5}")
            for minute in range(60):
                await cluster.advance(began + hour * 3600 + (minute + 1) * 60 - cluster.system.clock.monotonic() - 30)
                for job in (await cluster.client.list(JOBS)).objects():
                    if job["metadata"]["uid"] not in seen:
                        seen.add(job["metadata"]["uid"])
                        made[job["metadata"]["ownerReferences"][0]["name"]] += 1
                await cluster.advance(30)
            if hour == 12:
                scaled = (await cluster.client.list(DEPLOYMENTS)).objects()
                most = max(held["spec"]["replicas"] for held in scaled)
        jobs = cluster.system.statistics()
    expected = {f"cron-{number}": DAY // seconds for number, (_, seconds) in enumerate(SCHEDULES)}
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    with capsys.disabled():
        print(f"\na day: {sum(made.values())} jobs, {jobs.crashes} crashes, {wall:.1f} s, {cpu:.1f} s of CPU")
    assert dict(made) == expected
    assert most > 1, "the busy hours were scaled up for"
    assert cpu < MAX_SECONDS
