"""The process runtime: a container is a supervised session of processes, a pod is a shim and an address.

Everything that must survive the daemon is on disk below ``root/<pod uid>/``: ``pod.json``, the shim's socket and lock,
and for each container ``<name>.<attempt>/`` with ``container.json``, ``log``, ``state`` and ``root/`` (its files).
Programs see the machine's file system; what is mounted is linked below their ``root/``, which is their working
directory and ``PODIUM_ROOT``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.kubelet.runtime.errors import NoSuchContainer, RuntimeFailure
from orchestrator.kubelet.runtime.exec import result_of
from orchestrator.kubelet.runtime.process.disk import (
    Made,
    Stored,
    end_leftovers,
    inside,
    make_container,
    make_folder,
    read_made,
    read_states,
    shim_command,
    start_shim,
    store_pod,
    wait_for_end,
)
from orchestrator.kubelet.runtime.process.figures import machine, sessions
from orchestrator.kubelet.runtime.process.images import Images
from orchestrator.kubelet.runtime.process.link import Link, State
from orchestrator.kubelet.runtime.process.logs import read_log
from orchestrator.kubelet.runtime.process.network import PodNetwork
from orchestrator.kubelet.runtime.process.session import ProcessSession
from orchestrator.kubelet.runtime.runtime import (
    Container,
    ContainerConfig,
    ContainerFigures,
    ExecResult,
    LogOptions,
    Machine,
    Notify,
    PodFigures,
    RuntimePod,
    Sandbox,
    SandboxConfig,
    Session,
)
from orchestrator.kubelet.runtime.runtime import State as Phase

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NANO = 1e-9


class _Pod:
    """One pod on disk and its shim."""

    def __init__(self, folder: Path, config: SandboxConfig, sandbox: Sandbox) -> None:
        self.folder = folder
        self.config = config
        self.sandbox = sandbox
        self.made: dict[str, Made] = {}
        self.states: dict[str, State] = {}
        self.link: Link | None = None

    def seen(self) -> RuntimePod:
        containers = tuple(_container(made.container, self.states.get(key)) for key, made in self.made.items())
        return RuntimePod(self.config.pod_uid, self.config.namespace, self.config.name, self.sandbox, containers)


class ProcessRuntime:
    """``root`` belongs to this node alone; ``network`` may serve others too."""

    def __init__(self, root: Path, images: Images, network: PodNetwork) -> None:
        self.name = "process"
        self.waits = True
        self._root = root
        self._images = images
        self._network = network
        self._addresses = network.addresses
        self._pods: dict[str, _Pod] = {}
        self._notify: Notify | None = None

    async def start(self, notify: Notify) -> None:
        self._notify = notify
        for folder in await asyncio.to_thread(self._folders):
            await self._adopt(folder)

    def _folders(self) -> list[Path]:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return sorted(one for one in self._root.iterdir() if (one / "pod.json").exists())

    async def _adopt(self, folder: Path) -> None:
        """A pod of an earlier life of the daemon: its shim if it lives, else what it left on disk."""
        stored = msgspec.json.decode(await asyncio.to_thread((folder / "pod.json").read_bytes), type=Stored)
        pod = _Pod(folder, stored.config, stored.sandbox)
        for made in await asyncio.to_thread(read_made, folder):
            pod.made[made.container.id] = made
        pod.states = await asyncio.to_thread(read_states, folder, pod.made)
        self._addresses.keep(stored.sandbox.ip)
        self._pods[stored.config.pod_uid] = pod
        served = await self._connect(pod)
        if served and stored.sandbox.ready:
            return
        pod.sandbox = msgspec.structs.replace(pod.sandbox, ready=False)
        await self._end_shim(pod)  # one whose making or whose end was interrupted

    async def _connect(self, pod: _Pod) -> bool:
        pod.link = Link(pod.folder, lambda states: self._changed(pod, states), lambda: self._lost(pod))
        try:
            await pod.link.open()
        except (OSError, RuntimeFailure):
            pod.link = None
            return False
        return True

    def _changed(self, pod: _Pod, states: list[State]) -> None:
        for state in states:
            pod.states[state["id"]] = state
        self._tell(pod)

    def _lost(self, pod: _Pod) -> None:
        """The shim is gone, and whoever killed it meant the pod: what it left is ended."""
        pod.link = None
        pod.sandbox = msgspec.structs.replace(pod.sandbox, ready=False)
        pod.states = end_leftovers(pod.states)
        self._tell(pod)

    def _tell(self, pod: _Pod) -> None:
        if self._notify is not None:
            self._notify(pod.config.pod_uid)

    async def close(self) -> None:
        self._notify = None
        for pod in self._pods.values():
            if pod.link is not None:
                await pod.link.close()

    async def machine(self) -> Machine:
        await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)
        return await asyncio.to_thread(machine, self._root, "process://1.0")

    async def pods(self) -> list[RuntimePod]:
        return [pod.seen() for pod in self._pods.values()]

    async def observe(self, uid: str) -> RuntimePod | None:
        pod = self._pods.get(uid)
        return None if pod is None else pod.seen()

    async def create_sandbox(self, config: SandboxConfig) -> Sandbox:
        uid = config.pod_uid
        held = self._pods.get(uid)
        if held is not None and held.sandbox.ready:
            raise RuntimeFailure("SandboxExists", f"pod {uid} has the sandbox {held.sandbox.id} already")
        ip = held.sandbox.ip if held is not None else self._addresses.take()
        self._addresses.keep(ip)
        sandbox = Sandbox(f"{uid}.{config.attempt}", uid, config.attempt, False, ip, time.time())
        pod = _Pod(self._root / uid, config, sandbox)
        if held is not None:
            pod.made, pod.states = held.made, held.states
        await asyncio.to_thread(make_folder, pod.folder, Stored(config, sandbox))
        self._pods[uid] = pod
        await self._start_shim(pod)
        pod.sandbox = msgspec.structs.replace(sandbox, ready=True)
        await asyncio.to_thread(store_pod, pod.folder, Stored(config, pod.sandbox))
        return pod.sandbox

    async def _start_shim(self, pod: _Pod) -> None:
        """Raises ``RuntimeFailure``; then nothing of the shim is left."""
        command = await asyncio.to_thread(self._network.command, pod.config, pod.folder, shim_command(pod.folder))
        pid = await asyncio.to_thread(start_shim, pod.folder, command)
        name = f"{pod.config.namespace}/{pod.config.name}"
        if not await self._connect(pod):
            raise RuntimeFailure("ShimFailed", f"the shim of pod {name} does not answer")
        if pod.config.host_network:
            return
        try:
            await self._network.attach(pod.sandbox.id, pod.sandbox.ip, pid)
        except OSError as failure:
            await self._end_shim(pod)
            raise RuntimeFailure("NetworkNotReady", f"the network of pod {name}: {failure}") from failure

    async def stop_sandbox(self, pod_uid: str) -> None:
        pod = self._pods.get(pod_uid)
        if pod is None or not pod.sandbox.ready:
            return
        await self._end_shim(pod)
        pod.sandbox = msgspec.structs.replace(pod.sandbox, ready=False)
        await asyncio.to_thread(store_pod, pod.folder, Stored(pod.config, pod.sandbox))

    async def _end_shim(self, pod: _Pod) -> None:
        link, pod.link = pod.link, None
        if link is not None:
            link.tell("end")
            await asyncio.to_thread(wait_for_end, pod.folder)
            await link.close()
        pod.states = await asyncio.to_thread(lambda: end_leftovers(read_states(pod.folder, pod.made)))

    async def remove_pod(self, pod_uid: str) -> None:
        pod = self._pods.get(pod_uid)
        if pod is None:
            return
        await self._end_shim(pod)
        await asyncio.to_thread(shutil.rmtree, pod.folder, True)
        self._pods.pop(pod_uid, None)
        self._addresses.give_back(pod.sandbox.ip)

    async def ensure_image(self, image: str, policy: str) -> str:
        program = self._images.get(image, policy)
        return f"process://{program.argv[0]}"

    async def create_container(self, pod_uid: str, config: ContainerConfig) -> str:
        pod = self._pods.get(pod_uid)
        if pod is None or not pod.sandbox.ready:
            raise RuntimeFailure("SandboxNotReady", f"pod {pod_uid} has no ready sandbox")
        key = f"{pod_uid}.{config.name}.{config.attempt}"
        if key in pod.made:
            raise RuntimeFailure("ContainerExists", f"container {key} was created before")
        container = Container(
            key, pod_uid, config.name, config.attempt, config.image, config.image_id, Phase.CREATED, time.time()
        )
        folder = pod.folder / f"{config.name}.{config.attempt}"
        made = Made(container, self._spec(pod, key, config, folder))
        try:
            await asyncio.to_thread(make_container, folder, made, config)
        except OSError as failure:
            raise RuntimeFailure("CreateContainerError", str(failure)) from failure
        pod.made[key] = made
        return key

    def _spec(self, pod: _Pod, key: str, config: ContainerConfig, folder: Path) -> dict[str, Any]:
        """What the shim is told to run."""
        program = self._images.get(config.image, "Never")
        root = folder / "root"
        command = list(config.command) or list(program.argv)
        env = {
            "PATH": os.environ.get("PATH", DEFAULT_PATH),
            "HOME": str(root),
            "HOSTNAME": pod.config.hostname or pod.config.name,
            "POD_IP": pod.sandbox.ip,
            "POD_NAME": pod.config.name,
            "POD_NAMESPACE": pod.config.namespace,
            "PODIUM_ROOT": str(root),
            **program.env,
            **dict(config.env),
        }
        working_dir = config.working_dir or program.working_dir
        return {
            "id": key,
            "argv": [*command, *config.args],
            "env": env,
            "cwd": str(inside(root, working_dir)) if working_dir else str(root),
            "log": str(folder / "log"),
            "memory": config.memory_bytes,
            "user": config.user,
            "group": config.group,
            "groups": list(config.supplemental_groups),
            "tty": config.tty,
            "stdin": config.stdin,
            "stop_signal": config.stop_signal,
            "message_path": str(inside(root, config.termination_message_path)),
            "message_from_log": config.termination_message_policy == "FallbackToLogsOnError",
        }

    async def start_container(self, container_id: str) -> None:
        pod, made = self._find(container_id)
        await self._call(pod, "start", made.spec)

    async def stop_container(self, container_id: str) -> None:
        _pod, made = self._find(container_id)
        name = made.spec["stop_signal"] or "SIGTERM"
        await self._signal(container_id, signal.Signals[name] if name in signal.Signals.__members__ else signal.SIGTERM)

    async def kill_container(self, container_id: str) -> None:
        await self._signal(container_id, signal.SIGKILL)

    async def _signal(self, container_id: str, number: int) -> None:
        pod = self._pods.get(container_id.split(".", 1)[0])
        if pod is not None and pod.link is not None:
            await self._call(pod, "signal", container_id, int(number))

    async def remove_container(self, container_id: str) -> None:
        pod = self._pods.get(container_id.split(".", 1)[0])
        if pod is None or container_id not in pod.made:
            return
        if pod.link is not None:
            await self._call(pod, "forget", container_id)
        container = pod.made.pop(container_id).container
        pod.states.pop(container_id, None)
        await asyncio.to_thread(shutil.rmtree, pod.folder / f"{container.name}.{container.attempt}", True)

    async def exec(self, container_id: str, command: list[str], timeout: float) -> ExecResult:
        session = await self.open_exec(container_id, command, tty=False, stdin=False)
        return await result_of(session, command, timeout)

    async def open_exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> Session:
        pod, made = self._find(container_id)
        if self._phase(pod, container_id) is not Phase.RUNNING:
            raise RuntimeFailure("ContainerNotRunning", f"container {made.container.name} does not run")
        spec = {**made.spec, "argv": command, "tty": tty, "stdin": stdin, "memory": 0}
        return await ProcessSession.open(pod.folder, "exec", spec)

    async def attach(self, container_id: str, *, stdin: bool) -> Session:
        pod, _ = self._find(container_id)
        return await ProcessSession.open(pod.folder, "attach", container_id)

    def logs(self, container_id: str, options: LogOptions) -> AsyncIterator[bytes]:
        pod, made = self._find(container_id)
        return read_log(Path(made.spec["log"]), options, lambda: self._phase(pod, container_id) is not Phase.EXITED)

    async def figures(self) -> list[PodFigures]:
        leaders = {
            state["pid"]: (uid, key)
            for uid, pod in self._pods.items()
            for key, state in pod.states.items()
            if not state["finished"] and key in pod.made
        }
        usage = await asyncio.to_thread(sessions, set(leaders))
        found: dict[str, list[ContainerFigures]] = {}
        for pid, (cpu, memory) in usage.items():
            uid, key = leaders[pid]
            pod = self._pods.get(uid)
            if pod is not None and key in pod.made:
                began = pod.states[key]["started"] * NANO
                found.setdefault(uid, []).append(ContainerFigures(pod.made[key].container.name, cpu, memory, began))
        return [PodFigures(uid, tuple(containers)) for uid, containers in found.items()]

    def _phase(self, pod: _Pod, container_id: str) -> Phase:
        state = pod.states.get(container_id)
        if state is None:
            return Phase.CREATED
        return Phase.EXITED if state["finished"] else Phase.RUNNING

    def _find(self, container_id: str) -> tuple[_Pod, Made]:
        pod = self._pods.get(container_id.split(".", 1)[0])
        if pod is None or container_id not in pod.made:
            raise NoSuchContainer(container_id)
        return pod, pod.made[container_id]

    async def _call(self, pod: _Pod, *frame: Any) -> list[State]:
        if pod.link is None:
            raise RuntimeFailure("SandboxNotReady", f"pod {pod.config.pod_uid} has no shim")
        return await pod.link.call(*frame)


def _container(made: Container, state: State | None) -> Container:
    if state is None:
        return made
    return msgspec.structs.replace(
        made,
        state=Phase.EXITED if state["finished"] else Phase.RUNNING,
        started_at=state["started"] * NANO,
        finished_at=state["finished"] * NANO,
        exit_code=state["code"],
        signal=state["signal"],
        reason=state["reason"],
        message=state["message"],
    )
