"""The cluster of a measurement, and what each phase cost it: CPU by hop, memory, commits, bytes, revisions.

The cluster is the daemon's: the log on disk with fsync, HTTPS, RBAC, admission, managed fields, all controllers, the
scheduler, events, history. Whoever uses it is another process (``outside``).
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.bench.cell import Cell
from orchestrator.bench.census import census
from orchestrator.client.kinds import PODS
from orchestrator.cluster import Cluster
from orchestrator.collecting import SPARING
from orchestrator.config import ClusterConfig
from orchestrator.daemon import free_port
from orchestrator.hops import Hops
from orchestrator.housekeeping import Housekeeper
from orchestrator.large_pages import resident_bytes
from orchestrator.pki import prepare
from orchestrator.specs import member_spec
from orchestrator.store.protocol import Range, StatusReply, StoreStatus

MAX_LINE_BYTES = 64 << 20
"""The figures of one phase with its curve."""
PODS_PREFIX = "core/pods/"


@dataclass(slots=True)
class Phase:
    """Where the counters stood when it began."""

    cpu: float
    others: dict[int, float]
    """CPU seconds of the worker processes and of the client's, by process."""
    thread: float
    rss_mb: float
    status: StatusReply
    busy: dict[str, float]
    hops: Hops
    began: float


@dataclass(slots=True)
class Profile:
    """The stacks of all rounds but the first, by phase."""

    hops: dict[str, Hops] = field(default_factory=dict)
    pods: Counter[str] = field(default_factory=Counter)
    """What each phase did its work for."""

    def take(self, name: str, pods: int, seen: Hops) -> None:
        self.pods[name] += pods
        total = self.hops.setdefault(name, Hops())
        total.stacks.update(seen.stacks)
        total.seconds += seen.seconds
        total.collecting += seen.collecting


async def measure(
    cell: Cell, directory: Path, *, profile: Profile | None = None, place: dict[str, str] | None = None
) -> list[Object]:
    """One record of figures for each phase of each round; ``place`` puts components into worker processes."""
    began = time.perf_counter()
    config = ClusterConfig(
        data_dir=directory,
        listen=("127.0.0.1", free_port()),
        nodes=cell.nodes,
        runtime="simulated",
        place=place or {},
    )
    assert config.listen is not None
    pki = prepare(config, f"https://127.0.0.1:{config.listen[1]}", time.time())
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(pki.kubeconfig)
    async with Cluster(config, pki=pki) as cluster:
        await cluster.system.spawn(member_spec(Housekeeper, "housekeeper"))
        started = time.perf_counter() - began
        outside = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "orchestrator.bench.outside"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MAX_LINE_BYTES,
        )
        try:
            tell(outside, {"kubeconfig": str(kubeconfig), "cell": asdict(cell)})
            records = await _follow(cluster, cell, outside, profile)
        finally:
            if outside.returncode is None:
                outside.kill()
            await outside.wait()
    return [{"start_seconds": round(started, 3), **record} for record in records]


def tell(outside: asyncio.subprocess.Process, document: Object) -> None:
    assert outside.stdin is not None
    outside.stdin.write(json.dumps(document).encode() + b"\n")


async def _follow(
    cluster: Cluster, cell: Cell, outside: asyncio.subprocess.Process, profile: Profile | None
) -> list[Object]:
    """Answer the client's process until it ends."""
    assert outside.stdout is not None
    records: list[Object] = []
    phase: Phase | None = None
    cost: Object = {}
    while line := await outside.stdout.readline():
        said = json.loads(line)
        answer: Object = {}
        if "begin" in said:
            phase = await _begin(cluster)
        elif "end" in said:
            assert phase is not None
            cost = await _cost(cluster, phase, said["figures"]["pods"], outside.pid)
            if profile is not None and (said["round"] or cell.rounds == 1):
                profile.take(said["end"], said["figures"]["pods"], phase.hops)
        elif "recounted" in said:
            figures = said["figures"]
            unequal = await indexes(cluster)
            figures["recount_errors"] += len(unequal)
            figures["faults"] += unequal
            records.append({"phase": said["recounted"], "round": said["round"], **figures, **cost})
        elif said.get("need") == "census":
            answer = {"memory": _memory(cluster)}
        elif said.get("need") == "fail":
            answer = {"nodes": await _fail(cluster, cell)}
        tell(outside, answer)
    if await outside.wait():
        raise RuntimeError(f"the client's process ended with {outside.returncode}")
    return records


async def _begin(cluster: Cluster) -> Phase:
    status = await cluster.store.ask(StoreStatus())
    hops = Hops()
    cpu, others, began = _cpu(), _cpu_of_others(), time.perf_counter()
    phase = Phase(cpu, others, time.thread_time(), _rss_mb(), status, _busy(cluster), hops, began)
    hops.__enter__()
    return phase


async def _cost(cluster: Cluster, phase: Phase, pods: int, client: int) -> Object:
    """``client`` is the process of the measuring client."""
    phase.hops.__exit__(None, None, None)
    seconds = time.perf_counter() - phase.began
    cpu, thread = _cpu() - phase.cpu, time.thread_time() - phase.thread
    others = {process: cpu - phase.others.get(process, 0.0) for process, cpu in _cpu_of_others().items()}
    clients = others.pop(client, 0.0)
    before, after = phase.status, await cluster.store.ask(StoreStatus())
    busy = _busy(cluster)
    return {
        "share_of_a_core": round((cpu + sum(others.values())) / seconds, 4),
        "cpu_microseconds_per_pod": round(cpu / pods * 1e6, 1),
        "main_thread_microseconds_per_pod": round(thread / pods * 1e6, 1),
        "workers_microseconds_per_pod": round(sum(others.values()) / pods * 1e6, 1),
        "client_microseconds_per_pod": round(clients / pods * 1e6, 1),
        "cpu_microseconds_per_pod_by_hop": phase.hops.microseconds(pods),
        "busy_seconds_by_actor": {
            kind: round(seconds - phase.busy.get(kind, 0.0), 4)
            for kind, seconds in sorted(busy.items())
            if seconds - phase.busy.get(kind, 0.0) >= 0.0005
        },
        "revisions": after.revision - before.revision,
        "transactions": after.commits - before.commits,
        "log_bytes_written": max(after.log_bytes - before.log_bytes, 0),
        "rss_before_mb": round(phase.rss_mb, 1),
        "rss_mb": round(_rss_mb(), 1),
        "rss_max_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _memory(cluster: Cluster) -> Object:
    """What the process has, and what of it each kind of actor holds (``census``, which takes memory itself)."""
    resident = _rss_mb()
    SPARING.rest()  # the census sees what is not frozen
    held = census(cluster.system)
    return {
        "rss_mb": round(resident, 1),
        "held_mb": round(sum(size for size, _ in held.values()) / 2**20, 1),
        "objects": sum(count for _, count in held.values()),
        "held_mb_by_actor": {kind: round(size / 2**20, 2) for kind, (size, _) in held.items() if size >= SHOWN_BYTES},
    }


SHOWN_BYTES = 64 << 10
"""Less than it holds every little actor."""


async def _fail(cluster: Cluster, cell: Cell) -> list[str]:
    """Kubelets end and are not started again: their nodes fall silent."""
    names = [f"node-{number + 1}" for number in range(round(cell.nodes * cell.share))]
    for name in names:
        await cluster.system.stop_actor(cluster.system.ref(f"nodes/{name}"))
    return names


async def indexes(cluster: Cluster) -> list[str]:
    """Where an index says something else than a rebuild from the objects: of every cache, and of the store."""
    faults = cluster.informers.verify()
    pods = (await cluster.client.list(PODS)).items
    nodes = Counter(_node_of(item.rest) for item in pods)
    for number in range(cluster.config.nodes):
        name = f"node-{number + 1}"
        found = await cluster.store.ask(Range(PODS_PREFIX, fields={"spec.nodeName": name}, count_only=True))
        if found.count != nodes[name]:
            faults.append(f"the store finds {found.count} pods of {name}, there are {nodes[name]}")
    return faults


class _Spec(msgspec.Struct):
    nodeName: str = ""


class _Rest(msgspec.Struct):
    spec: _Spec


_rest = msgspec.msgpack.Decoder(_Rest).decode


def _node_of(rest: bytes) -> str:
    return _rest(rest).spec.nodeName


def _busy(cluster: Cluster) -> dict[str, float]:
    """Seconds in handlers by the class of actor, waiting inside of them included."""
    found: Counter[str] = Counter()

    def walk(node: Any) -> None:
        found[node.kind] += node.statistics.busy_seconds
        for child in node.children:
            walk(child)

    walk(cluster.system.tree())
    return dict(found)


def _cpu() -> float:
    """CPU seconds of this process, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _cpu_of_others() -> dict[int, float]:
    """CPU seconds of each process that this one started and that lives."""
    found: dict[int, float] = {}
    tick = os.sysconf("SC_CLK_TCK")
    for children in Path("/proc/self/task").glob("*/children"):
        for process in map(int, children.read_text().split()):
            with suppress(OSError):
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                found[process] = (int(fields[11]) + int(fields[12])) / tick
    return found


def _rss_mb() -> float:
    return resident_bytes() / 2**20
