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
    *["* * * * *"] * 2,
    *["*/5 * * * *"] * 8,
    *["*/15 * * * *"] * 10,
    *["0 * * * *"] * 30,
    *["30 */6 * * *"] * 25,
    *["15 3 * * *"] * 25,
)
"""A hundred, from every minute to once a day."""
AUTOSCALED = 20


def due(schedule: str, hours: int) -> int:
    """How often it comes in the first ``hours`` after midnight."""
    return {
        "* * * * *": hours * 60,
        "*/5 * * * *": hours * 12,
        "*/15 * * * *": hours * 4,
        "0 * * * *": hours,
        "30 */6 * * *": math.floor((hours - 0.5) / 6) + 1,
        "15 3 * * *": int(hours > 3),
    }[schedule]


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
    """Milli-CPU of a pod, hour by hour: quiet at midnight, busy at noon."""
    hour = moment % DAY // 3600
    return 10.0 + 90.0 * (1.0 - math.cos(2.0 * math.pi * hour / 24)) / 2.0


class Day:
    """Counts the Jobs of each CronJob, and what the autoscalers asked for at most."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._midnight = 0.0
        self._looked: set[bytes] = set()
        self._seen: set[str] = set()
        self.made: Counter[str] = Counter()
        self.most = 0

    async def begin(self) -> None:
        rules = (Rule(Behaviour(run_seconds=5.0), image="work:*"), Rule(Behaviour(cpu_curve=curve), image="app:*"))
        self._cluster.behave(*rules)
        for number in range(AUTOSCALED):
            await self._cluster.apply(autoscaled(number))
        for number, schedule in enumerate(SCHEDULES):
            await self._cluster.apply(cronjob(number, schedule))

    async def look(self) -> None:
        looked, self._looked = self._looked, set()
        for job in (await self._cluster.client.list(JOBS)).items:
            self._looked.add(job.metadata)
            if job.metadata not in looked:  # else it was there a minute ago
                metadata = job.decode_metadata()
                if metadata["uid"] not in self._seen:
                    self._seen.add(metadata["uid"])
                    self.made[metadata["ownerReferences"][0]["name"]] += 1

    async def pass_hour(self, hour: int) -> None:
        """An hour with a look in the middle of each minute; every eighth hour a machine is off."""
        clock, node = self._cluster.system.clock, f"node-{1 + hour // 8}"
        if hour % 8 == 1:
            await self._cluster.power_off(node)
        if hour == 0:
            self._midnight = clock.time() // DAY * DAY
        for minute in range(60):
            await self._cluster.advance(self._midnight + hour * 3600 + minute * 60 + 30 - clock.time())
            await self.look()
        if hour % 8 == 1:
            await self._cluster.revive(node)
        scaled = (await self._cluster.client.list(DEPLOYMENTS)).objects()
        self.most = max(self.most, *(held["spec"]["replicas"] for held in scaled))


async def live(hours: int) -> tuple[dict[str, int], int]:
    """(Jobs by CronJob, the most replicas) of so many hours after midnight."""
    async with Cluster(nodes=5, clock="virtual") as cluster:
        day = Day(cluster)
        await day.begin()
        for hour in range(hours):
            await day.pass_hour(hour)
        await cluster.advance(minutes=1)
        await day.look()
    return dict(day.made), day.most


def expected(hours: int) -> dict[str, int]:
    times = {f"cron-{number}": due(schedule, hours) for number, schedule in enumerate(SCHEDULES)}
    return {name: number for name, number in times.items() if number}


@pytest.mark.slow
@pytest.mark.real_loop
async def test_a_day_of_cronjobs_and_autoscalers_has_exactly_the_jobs_that_the_schedules_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wall, cpu = time.monotonic(), time.process_time()
    made, most = await live(24)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    with capsys.disabled():
        print(f"\na day: {sum(made.values())} jobs, up to {most} replicas, {wall:.1f} s, {cpu:.1f} s of CPU")
    assert made == expected(24)
    assert most > 1, "the busy hours were scaled up for"
