"""Materials of containers that really run: volumes, environment, user, limits."""

from __future__ import annotations

from pathlib import Path

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.kubelet.downward import Place
from orchestrator.kubelet.environment import environment, expand, referenced
from orchestrator.kubelet.node import EVICTION_MEMORY_BYTES, NodeConfig
from orchestrator.kubelet.pod import Pod
from orchestrator.kubelet.resolver import resolver_of
from orchestrator.kubelet.runtime.errors import RuntimeFailure
from orchestrator.kubelet.runtime.runtime import ContainerConfig, Machine, Mount, Sandbox, SandboxConfig
from orchestrator.kubelet.volumes.sources import Sources
from orchestrator.kubelet.volumes.volumes import Volumes

CONFIG_ERROR = "CreateContainerConfigError"


class FullMaterials:
    """One per node."""

    needs_object = True

    def __init__(self, config: NodeConfig, machine: Machine, volumes: Volumes, sources: Sources) -> None:
        self._config = config
        self._machine = machine
        self._volumes = volumes
        self._sources = sources

    async def prepare(self, pod: Pod, obj: Object) -> None:
        await self._volumes.prepare(pod, obj["spec"], self._place(""))

    def sandbox(self, pod: Pod, attempt: int) -> SandboxConfig:
        meta, config = pod.metadata, self._config
        resolver = resolver_of(pod, config.cluster_dns, config.cluster_domain)
        return SandboxConfig(
            meta.uid,
            meta.namespace,
            meta.name,
            attempt,
            meta.labels or {},
            meta.annotations or {},
            hostname=(pod.spec.hostname or meta.name)[:63],
            host_network=pod.spec.host_network,
            dns_servers=resolver.servers,
            dns_searches=resolver.searches,
            dns_options=resolver.options,
        )

    async def container(
        self, pod: Pod, obj: Object, name: str, *, attempt: int, image_id: str, sandbox: Sandbox | None
    ) -> ContainerConfig:
        spec = obj["spec"]
        container = next(
            one
            for field in ("containers", "initContainers", "ephemeralContainers")
            for one in spec.get(field) or ()
            if one["name"] == name
        )
        place = self._place(sandbox.ip if sandbox is not None else "")
        env = await self._environment(pod, spec, container, place)
        security = {**(spec.get("securityContext") or {}), **(container.get("securityContext") or {})}
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        capabilities = security.get("capabilities") or {}
        return ContainerConfig(
            name,
            attempt,
            container["image"],
            image_id,
            command=tuple(expand(one, env) for one in container.get("command") or ()),
            args=tuple(expand(one, env) for one in container.get("args") or ()),
            env=tuple(env.items()),
            working_dir=container.get("workingDir") or "",
            mounts=await self._mounts(pod, spec, container, env),
            cpu_millis=_milli(limits.get("cpu")),
            cpu_request_millis=_milli(requests.get("cpu")),
            memory_bytes=_milli(limits.get("memory")) // 1000,
            user=_user(security, name),
            group=security.get("runAsGroup"),
            supplemental_groups=_groups(security),
            read_only_root=bool(security.get("readOnlyRootFilesystem")),
            privileged=bool(security.get("privileged")),
            no_new_privileges=security.get("allowPrivilegeEscalation") is False,
            add_capabilities=tuple(capabilities.get("add") or ()),
            drop_capabilities=tuple(capabilities.get("drop") or ()),
            tty=bool(container.get("tty")),
            stdin=bool(container.get("stdin")),
            stop_signal=(container.get("lifecycle") or {}).get("stopSignal") or "",
            termination_message_path=container.get("terminationMessagePath") or "/dev/termination-log",
            termination_message_policy=container.get("terminationMessagePolicy") or "File",
        )

    async def _environment(self, pod: Pod, spec: Object, container: Object, place: Place) -> dict[str, str]:
        namespace = pod.metadata.namespace
        found = {
            (kind, name): await (
                self._sources.config_map(namespace, name)
                if kind == "configmap"
                else self._sources.secret(namespace, name)
            )
            for kind, name in referenced(container)
        }
        services = [one for one in await self._sources.services("default") if one["metadata"]["name"] == "kubernetes"]
        if spec.get("enableServiceLinks", True):
            services += await self._sources.services(namespace)
        return environment(pod, container, found, services, place)

    async def _mounts(self, pod: Pod, spec: Object, container: Object, env: dict[str, str]) -> tuple[Mount, ...]:
        mounts = []
        for mount in container.get("volumeMounts") or ():
            source = await self._volumes.find(pod, spec, mount["name"])
            below = expand(mount["subPathExpr"], env) if mount.get("subPathExpr") else mount.get("subPath") or ""
            if below:
                source = _sub_path(source, below)
            mounts.append(Mount(str(source), mount["mountPath"], bool(mount.get("readOnly"))))
        return tuple(mounts)

    def _place(self, pod_ip: str) -> Place:
        machine, config = self._machine, self._config
        memory = machine.memory_bytes - config.reserved_memory_bytes - EVICTION_MEMORY_BYTES
        cpu = machine.cpu_millis - config.reserved_cpu_millis
        return Place(config.name, config.address, pod_ip, cpu, max(memory, 0), machine.storage_bytes * 9 // 10)

    async def forget(self, pod_uid: str) -> None:
        await self._volumes.forget(pod_uid)


def _milli(amount: object) -> int:
    return 0 if amount is None else int(Quantity.parse(str(amount)).milli())


def _user(security: Object, name: str) -> int | None:
    user: int | None = security.get("runAsUser")
    if security.get("runAsNonRoot") and user in (None, 0):
        found = "image will run as root" if user is None else "container's runAsUser breaks non-root policy"
        raise RuntimeFailure(CONFIG_ERROR, f"container has runAsNonRoot and {found} (container: {name})")
    return user


def _groups(security: Object) -> tuple[int, ...]:
    groups = list(security.get("supplementalGroups") or ())
    if security.get("fsGroup") is not None:
        groups.append(security["fsGroup"])
    return tuple(groups)


def _sub_path(source: Path, below: str) -> Path:
    if below.startswith("/") or ".." in Path(below).parts:
        raise RuntimeFailure(CONFIG_ERROR, f"expected a relative subPath without '..', found {below!r}")
    target = source / below
    if not target.exists():
        target.mkdir(parents=True)
    return target
