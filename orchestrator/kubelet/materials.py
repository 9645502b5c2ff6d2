"""What a pod is made of beyond its images: the kubelet gets files, environment and names through ``Materials``."""

from __future__ import annotations

from typing import Protocol

from orchestrator.apimachinery.encoded import Object
from orchestrator.kubelet.pod import Pod
from orchestrator.kubelet.runtime.runtime import ContainerConfig, Sandbox, SandboxConfig


class Materials(Protocol):
    """Raises ``RuntimeFailure`` for what is missing (FailedMount, CreateContainerConfigError)."""

    async def prepare(self, pod: Pod, obj: Object) -> None:
        """Make the pod's volumes; called again when the pod's metadata changes."""

    def sandbox(self, pod: Pod, attempt: int) -> SandboxConfig: ...

    async def container(
        self, pod: Pod, obj: Object, name: str, *, attempt: int, image_id: str, sandbox: Sandbox | None
    ) -> ContainerConfig: ...

    async def forget(self, pod_uid: str) -> None:
        """Remove the pod's files."""

    needs_object: bool
    """Whether ``obj`` must be the whole object; else it is empty."""


class BareMaterials:
    """Names, images, commands and literal variables: what the simulated runtime needs."""

    needs_object = False

    async def prepare(self, pod: Pod, obj: Object) -> None:
        return None

    def sandbox(self, pod: Pod, attempt: int) -> SandboxConfig:
        meta = pod.metadata
        return SandboxConfig(
            meta.uid, meta.namespace, meta.name, attempt, meta.labels or {}, host_network=pod.spec.host_network
        )

    async def container(
        self, pod: Pod, obj: Object, name: str, *, attempt: int, image_id: str, sandbox: Sandbox | None
    ) -> ContainerConfig:
        container = pod.container(name)
        assert container is not None, name
        return ContainerConfig(
            name,
            attempt,
            container.image,
            image_id,
            command=tuple(container.command or ()),
            args=tuple(container.args or ()),
            env=tuple((variable.name, variable.value) for variable in container.env or ()),
        )

    async def forget(self, pod_uid: str) -> None:
        return None
