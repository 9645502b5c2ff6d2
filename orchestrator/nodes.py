"""How the composition root makes a node: a kubelet with its runtime, prober and materials."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import os
import random
import shutil
import stat
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from sys import intern

import msgspec
import structlog

from actors import Clock
from orchestrator.client.client import Client
from orchestrator.client.recorder import Recorder
from orchestrator.config import ClusterConfig, ConfigError
from orchestrator.kubelet.heartbeats import Heartbeats
from orchestrator.kubelet.kubelet import Kubelet
from orchestrator.kubelet.materials import BareMaterials
from orchestrator.kubelet.node import NodeConfig, heartbeat_slots
from orchestrator.kubelet.prober import SimulatedProber
from orchestrator.kubelet.registrations import Registrations
from orchestrator.kubelet.runtime.process.network import LoopbackNetwork, PodNetwork
from orchestrator.kubelet.runtime.runtime import Runtime, State
from orchestrator.kubelet.runtime.simulated import SimulatedRuntime, SimulatedWorld
from orchestrator.kubelet.skewed_clock import SkewedClock

DOCKER_SOCKET = Path("/var/run/docker.sock")
MANY_NODES = 10
"""From here on the kubelets record warnings only: Pulled, Created and Started of a thousand nodes help nobody."""

STOP_SECONDS = 3.0
"""What containers get between being asked to stop and being killed when the whole cluster stops."""
STOP_POLL_SECONDS = 0.02

Make = Callable[[], Kubelet]

log = structlog.get_logger("nodes")


def docker_socket() -> Path | None:
    """Where a Docker engine listens on this machine, if one seems to."""
    host = os.environ.get("DOCKER_HOST", "")
    path = Path(host.removeprefix("unix://")) if host.startswith("unix://") else DOCKER_SOCKET
    try:
        return path if stat.S_ISSOCK(path.stat().st_mode) and os.access(path, os.W_OK) else None
    except OSError:
        return None


class NodeFactory:
    """Makes kubelets of the configured runtime. What belongs to a node outlives its kubelet's restarts."""

    def __init__(self, config: ClusterConfig, clock: Clock, random: random.Random, dns: tuple[str, ...] = ()) -> None:
        self._config = config
        self._clock = clock
        self._node = NodeConfig(
            "",
            normal_events=config.nodes <= MANY_NODES,
            cluster_dns=dns,
            cluster_domain=config.cluster_domain,
            heartbeat_slots=heartbeat_slots(config.nodes),
        )
        """What the nodes have in common."""
        self._world = SimulatedWorld(clock, random, member=config.member)
        self._bare = BareMaterials()
        self._registrations = Registrations()
        self._heartbeats = Heartbeats(clock)
        self.simulated: dict[str, SimulatedRuntime] = {}
        """The runtimes of simulated nodes, by the node's name."""
        self.runtime, self.note = _chosen(config)
        self.pod_network: PodNetwork = LoopbackNetwork()
        """Of the process runtime: what the composition root prepared before it makes nodes."""
        self.keep_containers = False
        """Whether containers outlive the cluster, for the next start to adopt."""
        self._runtimes: list[Runtime] = []
        self._clocks: dict[str, SkewedClock] = {}

    async def prepare(self) -> None:
        """What nodes share on this machine, before the first is made."""
        if self.runtime == "process":
            self.pod_network = await _pod_network(self._config)

    async def release(self) -> None:
        """After the last kubelet: unless they are kept, stop what runs on the nodes, gracefully for a moment; the
        objects stay and run again at the next start."""
        if not self.keep_containers:
            await asyncio.gather(*(_stop(runtime) for runtime in self._runtimes))
        await self.pod_network.release(keep=self.keep_containers)

    @property
    def claims_folder(self) -> Path:
        """Where directories of provisioned volumes are made. Simulated nodes make none."""
        return (self._config.data_dir or Path("/var/lib/podium")).absolute() / "claims"

    @property
    def remove_claim(self) -> Callable[[str], Awaitable[None]] | None:
        """How the directory of a volume that is not kept is removed; None where nodes make none."""
        return None if self.runtime == "simulated" else self._remove_claim

    async def _remove_claim(self, path: str) -> None:
        folder = Path(path)
        if folder.parent != self.claims_folder or folder.name == "..":
            raise OSError(f"expected a directory in {self.claims_folder}, found {path}")
        await asyncio.to_thread(_remove, folder)

    @property
    def world(self) -> SimulatedWorld:
        return self._world

    def make(self, name: str, client: Client, recorder: Recorder) -> Make:
        """The factory of the kubelet of ``name``."""
        config = msgspec.structs.replace(self._node, name=intern(name))
        makers = {"simulated": self._simulated, "process": self._process, "docker": self._docker}
        return makers[self.runtime](config, client, recorder)

    def _simulated(self, config: NodeConfig, client: Client, recorder: Recorder) -> Make:
        clock = self._clocks[config.name] = SkewedClock(self._clock)
        runtime = self.simulated[config.name] = SimulatedRuntime(self._world, self._world.machine, clock)
        prober = SimulatedProber(runtime)
        shared = (recorder, self._registrations, self._heartbeats)
        return partial(Kubelet, client, config, runtime, prober, self._bare, *shared, clock)

    def skew(self, name: str, seconds: float) -> None:
        """Set the clock of a simulated node wrong by ``seconds``."""
        if name in self._clocks:
            self._clocks[name].skew_seconds = seconds

    def _process(self, config: NodeConfig, client: Client, recorder: Recorder) -> Make:
        from orchestrator.kubelet.runtime.process.images import Images, Program
        from orchestrator.kubelet.runtime.process.runtime import ProcessRuntime

        folder = self._folder(config)
        programs = {image: Program(tuple(words)) for image, words in self._config.images.items()}
        runtime = ProcessRuntime(folder / "pods", Images(programs), self.pod_network)
        return self._real(config, client, recorder, runtime, folder)

    def _docker(self, config: NodeConfig, client: Client, recorder: Recorder) -> Make:
        from orchestrator.kubelet.runtime.docker.runtime import DockerRuntime

        folder = self._folder(config)
        runtime = DockerRuntime(_identity(self._config, config.name), folder / "containers")
        return self._real(config, client, recorder, runtime, folder)

    def _real(self, config: NodeConfig, client: Client, recorder: Recorder, runtime: Runtime, folder: Path) -> Make:
        from orchestrator.kubelet.full_materials import FullMaterials
        from orchestrator.kubelet.network_prober import NetworkProber
        from orchestrator.kubelet.runtime.process.figures import machine
        from orchestrator.kubelet.volumes.sources import Sources
        from orchestrator.kubelet.volumes.volumes import Volumes

        self._runtimes.append(runtime)
        folder.mkdir(parents=True, exist_ok=True)
        sources = Sources(client, self._clock)
        volumes = Volumes(folder / "volumes", sources)
        materials = FullMaterials(config, machine(folder, ""), volumes, sources)
        prober = NetworkProber(runtime, config.address)
        shared = (recorder, self._registrations, self._heartbeats)
        return partial(Kubelet, client, config, runtime, prober, materials, *shared)

    def _folder(self, config: NodeConfig) -> Path:
        if self._config.data_dir is None:
            raise ConfigError("runtime", f"the {self.runtime} runtime needs a data directory")
        return self._config.data_dir / "nodes" / config.name


async def _pod_network(config: ClusterConfig) -> PodNetwork:
    """Namespaces where the kernel and our rights allow them, else loopback."""
    wanted = ipaddress.IPv4Network(config.pod_cidr) if config.pod_cidr else None
    if config.kernel and config.data_dir is not None and not (wanted and wanted.is_loopback):
        from orchestrator.kubelet.runtime.process.bridge import BridgeNetwork

        bridge = BridgeNetwork(str(config.data_dir), wanted)
        try:
            await bridge.prepare()
            return bridge
        except OSError as error:
            log.warning("pods have loopback addresses", reason=str(error))
            await bridge.release(keep=True)
    return LoopbackNetwork(_spread(str(config.data_dir)), wanted if wanted and wanted.is_loopback else None)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


async def _stop(runtime: Runtime) -> None:
    await runtime.start(lambda uid: None)
    pods = await runtime.pods()
    running = [one.id for pod in pods for one in pod.containers if one.state is State.RUNNING]
    await asyncio.gather(*(runtime.stop_container(one) for one in running))
    deadline = time.monotonic() + STOP_SECONDS
    while running and time.monotonic() < deadline:
        await asyncio.sleep(STOP_POLL_SECONDS)
        running = [one.id for pod in await runtime.pods() for one in pod.containers if one.state is State.RUNNING]
    for pod in pods:
        await runtime.remove_pod(pod.uid)
    await runtime.close()


def _chosen(config: ClusterConfig) -> tuple[str, str]:
    """The runtime, and what the person should know of the choice."""
    if config.runtime != "auto":
        return config.runtime, ""
    if docker_socket() is not None:
        return "docker", ""
    return "process", "no Docker engine found"


def _spread(text: str) -> int:
    """A number that differs between data directories, so that their pods' addresses rarely meet."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _identity(config: ClusterConfig, node: str) -> str:
    """What the engine's objects of this node are marked with."""
    return f"{hashlib.sha256(str(config.data_dir).encode()).hexdigest()[:12]}-{node}"
