"""The docker runtime: a pod is a sandbox container whose network the pod's containers share.

The engine is the only memory: names (pod UID, container, attempt) make it refuse duplicates, labels say whose a
container is and let a kubelet adopt it after any death. Restarting is the kubelet's: the engine's policy is ``no``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from orchestrator.kubelet.runtime.docker import images, reading, specification
from orchestrator.kubelet.runtime.docker.engine import engine
from orchestrator.kubelet.runtime.docker.session import DockerSession
from orchestrator.kubelet.runtime.docker.specification import OWNER, POD_NAME, POD_NAMESPACE, POD_UID
from orchestrator.kubelet.runtime.errors import NoSuchContainer, RuntimeFailure
from orchestrator.kubelet.runtime.exec import result_of
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
    State,
)

if TYPE_CHECKING:
    import aiodocker

MAX_MESSAGE_BYTES = 4096
FALLBACK_LINES = 80
FALLBACK_BYTES = 2048
REOPEN_SECONDS = 1.0
"""Before the engine's events are listened to again after the connection broke."""
MAX_STATS = 16
"""Questions for figures under way: the engine takes a while for each."""

log = structlog.get_logger("kubelet")


class DockerRuntime:
    """``owner`` is the data directory's id and the node's name; ``root`` holds termination messages."""

    def __init__(self, owner: str, root: Path) -> None:
        self.name = "docker"
        self.waits = True
        self._owner = owner
        self._root = root
        self._client: aiodocker.Docker | None = None
        self._notify: Notify | None = None
        self._listener: asyncio.Task[None] | None = None
        self._configs: dict[str, SandboxConfig] = {}
        self._messages: dict[str, str] = {}
        self._slots = asyncio.Semaphore(MAX_STATS)

    @property
    def _docker(self) -> aiodocker.Docker:
        if self._client is None:
            import aiodocker

            self._client = aiodocker.Docker()
        return self._client

    async def start(self, notify: Notify) -> None:
        self._notify = notify
        await images.ensure_pause(self._docker)
        await self._remove_unborn()
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen(), name="docker events")

    async def _remove_unborn(self) -> None:
        """Containers that were made and never started, when the daemon died in between."""
        for shown in await self._shown():
            if shown["State"]["Status"] == "created":
                await self.remove_container(shown["Id"])

    async def _listen(self) -> None:
        """Tell of every container of ours that starts or ends; listen again when the engine comes back."""
        while True:
            try:
                await self._hear()
            except (RuntimeFailure, OSError, ValueError) as failure:
                log.warning("the engine's events broke off", reason=str(failure))
            await asyncio.sleep(REOPEN_SECONDS)
            for pod in await self._pods_or_none():
                self._tell(pod.uid)

    async def _hear(self) -> None:
        filters = json.dumps({"type": ["container"], "label": [f"{OWNER}={self._owner}"]})
        with engine("EngineFailed"):
            # The library leaves closing the response to its caller.
            query = self._docker._query("events", params={"filters": filters}, timeout=None)
            async with query as response, contextlib.aclosing(_Closing(response)):
                async for line in response.content:
                    event = json.loads(line)
                    if str(event.get("Action")) in ("start", "die", "destroy", "oom"):
                        self._tell(event["Actor"]["Attributes"].get(POD_UID, ""))

    async def _pods_or_none(self) -> list[RuntimePod]:
        try:
            return await self.pods()
        except RuntimeFailure:
            return []

    def _tell(self, uid: str) -> None:
        if self._notify is not None and uid:
            self._notify(uid)

    async def close(self) -> None:
        self._notify = None
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def machine(self) -> Machine:
        with engine("EngineFailed"):
            info = await self._docker.system.info()
        usage = await asyncio.to_thread(shutil.disk_usage, "/")
        architectures = {"x86_64": "amd64", "aarch64": "arm64"}
        return Machine(
            cpu_millis=int(info["NCPU"]) * 1000,
            memory_bytes=int(info["MemTotal"]),
            storage_bytes=usage.total,
            runtime_version=f"docker://{info['ServerVersion']}",
            architecture=architectures.get(info["Architecture"], info["Architecture"]),
            operating_system=info["OSType"],
            kernel_version=info["KernelVersion"],
            os_image=info["OperatingSystem"],
            machine_id=info.get("ID") or "",
        )

    async def pods(self) -> list[RuntimePod]:
        grouped: dict[str, list[reading.Shown]] = {}
        for shown in await self._shown():
            grouped.setdefault(shown["Config"]["Labels"][POD_UID], []).append(shown)
        return [await self._pod(shown) for shown in grouped.values()]

    async def observe(self, uid: str) -> RuntimePod | None:
        shown = await self._shown(f"{POD_UID}={uid}")
        return await self._pod(shown) if shown else None

    async def _shown(self, label: str = "") -> list[reading.Shown]:
        """Our containers as the engine inspects them, oldest first."""
        import aiodocker

        marks = [f"{OWNER}={self._owner}", *([label] if label else [])]
        found: list[reading.Shown] = []
        with engine("EngineFailed"):
            for one in await self._docker.containers.list(all=True, filters=json.dumps({"label": marks})):
                try:
                    found.append(await one.show())
                except aiodocker.DockerError as refusal:
                    if refusal.status != 404:
                        raise
        return sorted(found, key=lambda shown: str(shown["Created"]))

    async def _pod(self, shown: list[reading.Shown]) -> RuntimePod:
        labels = shown[0]["Config"]["Labels"]
        sandbox: Sandbox | None = None
        containers: list[Container] = []
        for one in shown:
            if reading.is_sandbox(one["Config"]["Labels"]):
                sandbox = reading.read_sandbox(one)
            else:
                containers.append(reading.read_container(one, await self._message(one)))
        return RuntimePod(labels[POD_UID], labels[POD_NAMESPACE], labels[POD_NAME], sandbox, tuple(containers))

    async def _message(self, shown: reading.Shown) -> str:
        """The termination message, read once."""
        state = shown["State"]
        if state["Status"] not in ("exited", "dead"):
            return ""
        key = shown["Id"]
        if key not in self._messages:
            labels = shown["Config"]["Labels"]
            text = await asyncio.to_thread(_read_message, Path(labels[specification.MESSAGE_FILE]))
            if not text and state["ExitCode"] and labels[specification.MESSAGE_FROM_LOG]:
                options = LogOptions(tail_lines=FALLBACK_LINES)
                text = b"".join([piece async for piece in self.logs(key, options)])[-FALLBACK_BYTES:]
            self._messages[key] = text.decode(errors="replace")
        return self._messages[key]

    async def create_sandbox(self, config: SandboxConfig) -> Sandbox:
        name = specification.engine_name(specification.SANDBOX_NAME, config, config.attempt)
        with engine("SandboxFailed"):
            made = await self._docker.containers.create(specification.sandbox_spec(self._owner, config), name=name)
            try:
                await made.start()
            except BaseException:
                await made.delete(force=True)
                raise
            self._configs[config.pod_uid] = config
            return reading.read_sandbox(await made.show())

    async def stop_sandbox(self, pod_uid: str) -> None:
        for shown in await self._shown(f"{POD_UID}={pod_uid}"):
            if reading.is_sandbox(shown["Config"]["Labels"]):
                await self._delete(shown["Id"])

    async def remove_pod(self, pod_uid: str) -> None:
        for shown in reversed(await self._shown(f"{POD_UID}={pod_uid}")):
            await self._delete(shown["Id"])
        self._configs.pop(pod_uid, None)
        await asyncio.to_thread(shutil.rmtree, self._root / pod_uid, True)

    async def _delete(self, container_id: str) -> None:
        self._messages.pop(container_id, None)
        with engine("RemoveFailed", gone_is_fine=True):
            await self._docker.containers.container(container_id).delete(force=True, v=True)

    async def ensure_image(self, image: str, policy: str) -> str:
        return await images.ensure(self._docker, image, policy)

    async def create_container(self, pod_uid: str, config: ContainerConfig) -> str:
        pod = await self.observe(pod_uid)
        if pod is None or pod.sandbox is None or not pod.sandbox.ready:
            raise RuntimeFailure("SandboxNotReady", f"pod {pod_uid} has no ready sandbox")
        file = self._root / pod_uid / f"{config.name}.{config.attempt}.termination-log"
        await asyncio.to_thread(_make_message, file)
        names = SandboxConfig(pod_uid, pod.namespace, pod.name, pod.sandbox.attempt)
        spec = specification.container_spec(self._owner, names, config, pod.sandbox.id, str(file))
        name = specification.engine_name(config.name, names, config.attempt)
        with engine("CreateContainerError"):
            made = await self._docker.containers.create(spec, name=name)
        return str(made.id)

    async def start_container(self, container_id: str) -> None:
        """A program that cannot be started leaves a container that has ended: that is what is seen of it."""
        try:
            with engine("RunContainerError"):
                await self._docker.containers.container(container_id).start()
        except RuntimeFailure:
            shown = await self._show(container_id)
            if not shown["State"].get("ExitCode"):
                raise

    async def stop_container(self, container_id: str) -> None:
        with contextlib.suppress(NoSuchContainer):
            shown = await self._show(container_id)
            await self._signal(container_id, shown["Config"].get("StopSignal") or "SIGTERM")

    async def kill_container(self, container_id: str) -> None:
        await self._signal(container_id, "SIGKILL")

    async def _signal(self, container_id: str, name: str) -> None:
        with engine("KillFailed", gone_is_fine=True):
            await self._docker.containers.container(container_id).kill(signal=name)

    async def remove_container(self, container_id: str) -> None:
        await self._delete(container_id)

    async def _show(self, container_id: str) -> reading.Shown:
        import aiodocker

        with engine("EngineFailed"):
            try:
                shown: reading.Shown = await self._docker.containers.container(container_id).show()
            except aiodocker.DockerError as refusal:
                if refusal.status == 404:
                    raise NoSuchContainer(container_id) from refusal
                raise
        return shown

    async def exec(self, container_id: str, command: list[str], timeout: float) -> ExecResult:
        session = await self.open_exec(container_id, command, tty=False, stdin=False)
        return await result_of(session, command, timeout)

    async def open_exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> Session:
        with engine("ExecFailed"):
            made = await self._docker.containers.container(container_id).exec(command, stdin=stdin, tty=tty)
            stream = made.start(detach=False)
            await stream._init()

        async def code() -> int:
            with engine("ExecFailed"):
                return int((await made.inspect()).get("ExitCode") or 0)

        async def resize(columns: int, rows: int) -> None:
            with engine("ExecFailed"):
                await made.resize(h=rows, w=columns)

        async def end() -> None:
            with contextlib.suppress(RuntimeFailure, ProcessLookupError, PermissionError), engine("ExecFailed"):
                pid = int((await made.inspect()).get("Pid") or 0)
                if pid:
                    os.kill(pid, signal.SIGKILL)

        return DockerSession(stream, code, resize, end)

    async def attach(self, container_id: str, *, stdin: bool) -> Session:
        container = self._docker.containers.container(container_id)
        with engine("AttachFailed"):
            stream = container.attach(stdout=True, stderr=True, stdin=stdin)
            await stream._init()

        async def code() -> int:
            return int((await self._show(container_id))["State"].get("ExitCode") or 0)

        async def resize(columns: int, rows: int) -> None:
            with engine("AttachFailed"):
                await container.resize(h=rows, w=columns)

        async def end() -> None:
            return None

        return DockerSession(stream, code, resize, end)

    async def logs(self, container_id: str, options: LogOptions) -> AsyncIterator[bytes]:
        params: dict[str, Any] = {"timestamps": options.timestamps}
        if options.tail_lines is not None:
            params["tail"] = str(options.tail_lines)
        if options.since:
            params["since"] = f"{options.since:.9f}"
        left = options.limit_bytes
        with engine("LogFailed"):
            container = self._docker.containers.container(container_id)
            wanted = {"stdout": options.stream != "Stderr", "stderr": options.stream != "Stdout"}
            async for line in _lines(container, follow=options.follow, **wanted, **params):
                data = line.encode() if line.endswith("\n") else f"{line}\n".encode()
                yield data if left is None else data[:left]
                if left is not None:
                    left -= len(data)
                    if left <= 0:
                        return

    async def figures(self) -> list[PodFigures]:
        pods = await self.pods()
        running = [one for pod in pods for one in pod.containers if one.state is State.RUNNING]
        figures = await asyncio.gather(*(self._figures(one) for one in running))
        found: dict[str, list[ContainerFigures]] = {}
        for container, figure in zip(running, figures, strict=True):
            if figure is not None:
                found.setdefault(container.pod_uid, []).append(figure)
        return [PodFigures(uid, tuple(containers)) for uid, containers in found.items()]

    async def _figures(self, container: Container) -> ContainerFigures | None:
        async with self._slots:
            with contextlib.suppress(RuntimeFailure), engine("StatsFailed"):
                path = f"containers/{container.id}/stats"
                params = {"stream": "false", "one-shot": "true"}
                stats = await self._docker._query_json(path, params=params)
                return reading.read_figures(container.name, stats, container.started_at)
        return None


class _Closing:
    """A response that is closed when its use ends, read to the end or not."""

    def __init__(self, response: Any) -> None:
        self._response = response

    async def aclose(self) -> None:
        self._response.close()


async def _lines(container: Any, *, follow: bool, **params: Any) -> AsyncIterator[str]:
    if follow:
        async for line in container.log(follow=True, **params):
            yield line
        return
    for line in await container.log(follow=False, **params):
        yield line


def _make_message(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    file.chmod(0o666)


def _read_message(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_MESSAGE_BYTES)
    except FileNotFoundError:
        return b""
