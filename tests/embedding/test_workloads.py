"""Simulated containers follow a script: what they log, answer, use and say of themselves is seen through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.testing import Probe
from orchestrator import Cluster
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import Kind
from orchestrator.client.node import Finished, Input, OpenExec, OpenLog, OpenPort, Output
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule
from orchestrator.kubelet.runtime.stage import Stage

POD_METRICS = Kind("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")


def pod(name: str = "one", **container: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "app:1", **container}]},
    }


async def said(cluster: Cluster, make: Callable[[str, Any], Any], *, to: bytes = b"", enough: int = 1) -> bytes:
    """What a session on the pod ``one`` says: until its end, or until ``enough`` pieces came."""
    found = await cluster.get("pod/one")
    probe = await Probe.spawn(cluster.system)
    kubelet = cluster.system.ref(f"nodes/{found.spec.nodeName}")
    opened = await kubelet.ask(make(found.metadata.uid, probe.ref))
    if to:
        await opened.session.tell(Input(to))
        return b"".join([(await probe.get(Output)).data for _ in range(enough)])
    await probe.get(Finished)
    return b"".join(message.data for message in probe.messages if isinstance(message, Output))


async def test_a_coroutine_plays_a_container_to_its_end() -> None:
    async def play(stage: Stage) -> int:
        stage.log(f"started with {stage.env['MODE']} as {stage.pod}")
        await stage.sleep(30.0)
        stage.log("done")
        return 3

    async with Cluster(nodes=1, seed=1) as cluster:
        cluster.behave(Rule(Behaviour(play=play), image="app:*"))
        await cluster.apply(pod(env=[{"name": "MODE", "value": "fast"}]))
        await cluster.wait("pod/one", "phase=Running")
        await cluster.advance(31.0)
        (status,) = (await cluster.get("pod/one")).status.containerStatuses
        ended = status.get("lastState", {}).get("terminated") or status.state.terminated
        assert ended["exitCode"] == 3
        text = await said(cluster, lambda uid, ref: OpenLog(uid, "main", ref, previous=status.restartCount > 0))
        assert text == b"started with fast as default/one\ndone\n"


async def test_a_play_is_asked_to_stop_and_cut_off_when_it_does_not() -> None:
    ends: list[str] = []

    async def polite(stage: Stage) -> None:
        await stage.stopping.wait()
        ends.append(stage.name)

    async def deaf(stage: Stage) -> None:
        await stage.sleep(1e6)

    async with Cluster(nodes=1, seed=1) as cluster:
        cluster.behave(Rule(Behaviour(play=polite), image="app:*"), Rule(Behaviour(play=deaf), image="deaf:*"))
        await cluster.apply([pod("polite"), pod("deaf", image="deaf:1")])
        for name in ("polite", "deaf"):
            await cluster.wait(f"pod/{name}", "phase=Running")
            await cluster.delete(f"pod/{name}")
        await cluster.wait("pod/polite", "deleted", timeout=2.0)
        assert ends == ["main"]
        assert await cluster.find("pod/deaf") is not None
        await cluster.wait("pod/deaf", "deleted", timeout=40.0)


async def test_an_exception_is_a_crash_that_is_restarted() -> None:
    async def play(stage: Stage) -> None:
        raise RuntimeError("out of luck")

    async with Cluster(nodes=1, seed=1) as cluster:
        cluster.behave(Rule(Behaviour(play=play), image="app:*"))
        await cluster.apply(pod())
        await cluster.advance(minutes=1)
        (status,) = (await cluster.get("pod/one")).status.containerStatuses
        assert status.restartCount >= 2
        assert status.state.waiting.reason == "CrashLoopBackOff"
        text = await said(cluster, lambda uid, ref: OpenLog(uid, "main", ref))
        assert text == b"RuntimeError: out of luck\n"


async def test_readiness_follows_what_the_play_says_and_what_flaps() -> None:
    stages: list[Stage] = []

    async def play(stage: Stage) -> None:
        stages.append(stage)
        await stage.stopping.wait()

    probe = {"tcpSocket": {"port": 80}, "periodSeconds": 1, "failureThreshold": 1}
    async with Cluster(nodes=1, seed=1) as cluster:
        cluster.behave(Rule(Behaviour(play=play), image="app:*"), Rule(Behaviour(flapping=(10.0, 5.0)), image="flap:*"))
        await cluster.apply([pod(readinessProbe=probe), pod("flaps", image="flap:1", readinessProbe=probe)])
        await cluster.wait("pod/one", "Ready")
        stages[0].ready = False
        await cluster.wait("pod/one", "Ready=False", timeout=3.0)
        await cluster.wait("pod/flaps", "Ready=False", timeout=15.0)
        await cluster.wait("pod/flaps", "Ready", timeout=15.0)


async def test_pages_answer_probes_and_connections() -> None:
    pages = {"/healthz": (200, "ok"), "/": (200, "hello")}
    probe = {"httpGet": {"port": 80, "path": "/healthz"}, "periodSeconds": 1, "failureThreshold": 1}
    async with Cluster(nodes=1, seed=1) as cluster:
        cluster.behave(Rule(Behaviour(http=pages), image="app:*"))
        await cluster.apply(pod(readinessProbe=probe))
        await cluster.wait("pod/one", "Ready")
        request = b"GET / HTTP/1.1\r\nHost: one\r\n\r\n"
        answer = await said(cluster, lambda uid, ref: OpenPort(uid, 80, ref), to=request)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\nhello")
        cluster.behave(Rule(Behaviour(http={"/healthz": (500, "broken")}), image="app:*"))
        await cluster.wait("pod/one", "Ready=False", timeout=3.0)


async def test_commands_are_answered() -> None:
    def commands(words: list[str]) -> tuple[int, str]:
        return (0, "root\n") if words == ["whoami"] else (127, f"{words[0]}: not found\n")

    async with Cluster(nodes=1, seed=1) as cluster:
        cluster.behave(Rule(Behaviour(commands=commands), image="app:*"))
        await cluster.apply(pod())
        await cluster.wait("pod/one", "Ready")
        assert await said(cluster, lambda uid, ref: OpenExec(uid, "main", ["whoami"], ref)) == b"root\n"
        assert await said(cluster, lambda uid, ref: OpenExec(uid, "main", ["fly"], ref)) == b"fly: not found\n"


async def test_lines_come_at_their_moments() -> None:
    async with Cluster(nodes=1, seed=1) as cluster:
        cluster.behave(Rule(Behaviour(log_lines=("up",), timed_lines=((10.0, "ten"), (60.0, "sixty"))), image="app:*"))
        await cluster.apply(pod())
        await cluster.wait("pod/one", "Ready")
        await cluster.advance(20.0)
        assert await said(cluster, lambda uid, ref: OpenLog(uid, "main", ref)) == b"up\nten\n"
        await cluster.advance(60.0)
        assert await said(cluster, lambda uid, ref: OpenLog(uid, "main", ref, tail_lines=1)) == b"sixty\n"


async def test_usage_follows_its_curve() -> None:
    async with Cluster(nodes=1, seed=1) as cluster:
        cluster.behave(Rule(Behaviour(cpu_curve=lambda age, _: 100.0 if age < 600 else 500.0), image="app:*"))
        await cluster.apply(pod())
        await cluster.wait("pod/one", "Ready")
        usages = []
        for _ in range(3):
            await cluster.advance(minutes=5)
            held = (await cluster.client.get(POD_METRICS, "one", "default"))["containers"][0]["usage"]["cpu"]
            usages.append(round(int(held.rstrip("n")) / 1e6))
        assert usages[0] == pytest.approx(100, abs=2)
        assert usages[2] == pytest.approx(500, abs=2)
