"""Where a pod's programs listen: the machine's own network with an address of loopback, or a network of the pod's.

The runtime asks for an address and for the command that starts the pod's shim, and attaches what was started.
``bridge`` is the implementation that needs rights.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Protocol

from orchestrator.kubelet.runtime.process.addresses import Addresses
from orchestrator.kubelet.runtime.runtime import SandboxConfig


class PodNetwork(Protocol):
    """One for all nodes of the process."""

    addresses: Addresses

    def command(self, config: SandboxConfig, folder: Path, command: list[str]) -> list[str]:
        """``command`` in the network of a new pod whose files are in ``folder``."""
        ...

    async def attach(self, sandbox_id: str, ip: str, pid: int) -> None:
        """Give the network of process ``pid`` its address. Raises ``OSError``."""
        ...

    async def release(self, *, keep: bool) -> None:
        """Let go of it; unless pods are kept, remove it."""
        ...


class LoopbackNetwork:
    """Pods share the machine's network; a program that listens on ``POD_IP`` has its port for itself."""

    def __init__(self, start: int = 0, network: ipaddress.IPv4Network | None = None) -> None:
        self.addresses = Addresses(network, start) if network else Addresses(start=start)

    def command(self, config: SandboxConfig, folder: Path, command: list[str]) -> list[str]:
        return command

    async def attach(self, sandbox_id: str, ip: str, pid: int) -> None:
        return None

    async def release(self, *, keep: bool) -> None:
        return None
