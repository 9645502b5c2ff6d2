"""How the composition root makes a node: a kubelet with its runtime, prober and materials."""

from __future__ import annotations

import random
from collections.abc import Callable

from actors import Clock
from orchestrator.client.client import Client
from orchestrator.client.recorder import Recorder
from orchestrator.config import ClusterConfig
from orchestrator.kubelet.kubelet import Kubelet
from orchestrator.kubelet.materials import BareMaterials
from orchestrator.kubelet.node import NodeConfig
from orchestrator.kubelet.prober import SimulatedProber
from orchestrator.kubelet.runtime.simulated import SimulatedRuntime, SimulatedWorld


class NodeFactory:
    """Makes kubelets of the configured runtime. What belongs to a node outlives its kubelet's restarts."""

    def __init__(self, config: ClusterConfig, clock: Clock, random: random.Random) -> None:
        self._config = config
        self._clock = clock
        self.world = SimulatedWorld(clock, random)
        self.runtime = "simulated"
        self.note = ""
        self.keep_containers = False

    def make(self, name: str, client: Client, recorder: Recorder) -> Callable[[], Kubelet]:
        """The factory of the kubelet of ``name``."""
        runtime = SimulatedRuntime(self.world)
        prober = SimulatedProber(runtime)
        config = NodeConfig(name, normal_events=self._config.nodes <= 10)
        return lambda: Kubelet(client, config, runtime, prober, BareMaterials(), recorder)
