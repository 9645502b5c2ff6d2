"""Containers that follow a script."""

from orchestrator import Behaviour, Rule

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "worker"},
    "spec": {
        "restartPolicy": "Never",
        "containers": [
            {
                "name": "main",
                "image": "worker:1",
                "env": [{"name": "MODE", "value": "fast"}],
                "readinessProbe": {"exec": {"command": ["ready"]}, "periodSeconds": 1},
            }
        ],
    },
}


async def worker(stage):  # plays the container; its end is the container's
    stage.log(f"mode {stage.env['MODE']}")  # seen by logs, with its moment
    stage.http["/healthz"] = (200, "ok")  # probes and port-forward ask it
    stage.ready = False  # readiness, liveness, cpu_millis, memory_bytes: what probes and metrics see
    await stage.sleep(30)  # the cluster's time
    stage.ready = True
    await stage.stopping.wait()  # the stop signal
    return 0  # the exit code; an exception is a crash


async def test_a_coroutine_plays_a_container(cluster):
    cluster.behave(
        Rule(Behaviour(start_seconds=2.0, jitter_seconds=1.0), image="slow:*"),
        Rule(Behaviour(run_seconds=10.0, exit_code=3), label="app", value="crashes"),
        Rule(Behaviour(http={"/healthz": (200, "ok")}, cpu_curve=lambda age, now: 100 + age), image="web:*"),
        Rule(Behaviour(play=worker), image="worker:*"),
    )
    await cluster.apply(POD)
    await cluster.wait("pod/worker", "phase=Running")
    assert (await cluster.wait("pod/worker", "Ready=False")) is not None
    await cluster.wait("pod/worker", "Ready", timeout=40)
    await cluster.delete("pod/worker")
    await cluster.wait("pod/worker", "deleted")
