"""What a node asks of the program that runs its containers: sandboxes, images, containers, exec, logs, figures.

A runtime reports; it decides nothing: restarts, back-off, grace periods and probes are the kubelet's. Identities are
pod UID, container name and attempt, so a second creation of the same attempt is refused by the runtime itself.
Implementations: ``simulated``, ``process``, ``docker``; all pass the one conformance suite.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from typing import Protocol

import msgspec


class State(StrEnum):
    """Where a container is. ``CREATED`` covers everything before its program runs."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"


class Sandbox(msgspec.Struct, frozen=True, gc=False):
    """What the containers of a pod share: an address and, where there is one, a network namespace."""

    id: str
    pod_uid: str
    attempt: int
    ready: bool
    ip: str
    created_at: float


class Container(msgspec.Struct, frozen=True, gc=False):
    """One attempt of one container, as the runtime sees it. Times are Unix seconds, 0.0 when not yet."""

    id: str
    pod_uid: str
    name: str
    attempt: int
    image: str
    image_id: str
    state: State
    created_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""


class RuntimePod(msgspec.Struct, frozen=True, gc=False):
    """Everything that a runtime holds of one pod, older attempts included, oldest first."""

    uid: str
    namespace: str
    name: str
    sandbox: Sandbox | None
    containers: tuple[Container, ...] = ()


class Mount(msgspec.Struct, frozen=True):
    """A directory or file of the node (``source``) that the container sees at ``target``."""

    source: str
    target: str
    read_only: bool = False


class SandboxConfig(msgspec.Struct, frozen=True):
    pod_uid: str
    namespace: str
    name: str
    attempt: int
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    hostname: str = ""
    host_network: bool = False
    dns_servers: tuple[str, ...] = ()
    dns_searches: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    sysctls: dict[str, str] = {}


class ContainerConfig(msgspec.Struct, frozen=True):
    """What to run. Empty ``command`` and ``args`` leave the image's own; limits of 0 are no limits."""

    name: str
    attempt: int
    image: str
    image_id: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    working_dir: str = ""
    mounts: tuple[Mount, ...] = ()
    cpu_millis: int = 0
    cpu_request_millis: int = 0
    memory_bytes: int = 0
    user: int | None = None
    group: int | None = None
    supplemental_groups: tuple[int, ...] = ()
    read_only_root: bool = False
    privileged: bool = False
    no_new_privileges: bool = False
    add_capabilities: tuple[str, ...] = ()
    drop_capabilities: tuple[str, ...] = ()
    tty: bool = False
    stdin: bool = False
    stop_signal: str = ""
    termination_message_path: str = "/dev/termination-log"
    termination_message_policy: str = "File"


class LogOptions(msgspec.Struct, frozen=True):
    """The query of ``pods/log``. ``tail_lines`` None is everything; ``since`` is Unix seconds, 0.0 is everything."""

    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: float = 0.0
    stream: str = "All"


class ExecResult(msgspec.Struct, frozen=True):
    """``code`` is the program's exit status; ``output`` holds what it wrote, both streams, cut at a bound."""

    code: int
    output: bytes


class ContainerFigures(msgspec.Struct, frozen=True):
    """Usage of a running container: CPU is cumulative nanoseconds since its start, memory the working set in bytes."""

    name: str
    cpu_nanoseconds: int
    memory_bytes: int
    started_at: float


class PodFigures(msgspec.Struct, frozen=True):
    uid: str
    containers: tuple[ContainerFigures, ...]


class Machine(msgspec.Struct, frozen=True):
    """What the node reports of itself: its size and its software."""

    cpu_millis: int
    memory_bytes: int
    storage_bytes: int
    runtime_version: str
    architecture: str = "amd64"
    operating_system: str = "linux"
    kernel_version: str = ""
    os_image: str = ""
    machine_id: str = ""
    boot_id: str = ""


Notify = Callable[[str], None]
"""Told the UID of a pod whose state changed. May be called at any time on the loop; never blocks."""


class Session(Protocol):
    """A program inside a container with its streams: exec with a terminal or stdin, and attach."""

    async def write(self, data: bytes) -> None:
        """Give bytes to its standard input. Waits while the program does not read."""

    async def close_input(self) -> None:
        """End its standard input."""

    async def resize(self, columns: int, rows: int) -> None:
        """Tell its terminal a new size; nothing without a terminal."""

    def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """Pieces as ``(1 or 2, bytes)`` until the program has closed both."""

    async def wait(self) -> int:
        """The exit status."""

    async def close(self) -> None:
        """Let go of it; an exec's program is killed when it still runs."""


class Runtime(Protocol):
    """One node's runtime. Methods may raise ``RuntimeFailure``; to stop or remove what is gone is no error."""

    name: str
    waits: bool
    """Whether an operation may take time. One that never does is driven in line, without a task for each pod."""

    async def start(self, notify: Notify) -> None:
        """Adopt what runs already and begin to report."""

    async def close(self) -> None:
        """Let go. Containers keep running."""

    async def machine(self) -> Machine: ...

    async def pods(self) -> list[RuntimePod]:
        """Every pod of this node that the runtime still holds something of."""

    async def observe(self, uid: str) -> RuntimePod | None: ...

    async def create_sandbox(self, config: SandboxConfig) -> Sandbox: ...

    async def stop_sandbox(self, pod_uid: str) -> None:
        """End its network; logs and exit statuses of its containers stay until ``remove_pod``."""

    async def remove_pod(self, pod_uid: str) -> None:
        """Forget everything of a pod: its containers (killed if they run), its logs, its sandbox."""

    async def ensure_image(self, image: str, policy: str) -> str:
        """The id of the image, present on the node. Raises ``ImageFailure``."""

    async def create_container(self, pod_uid: str, config: ContainerConfig) -> str: ...

    async def start_container(self, container_id: str) -> None: ...

    async def stop_container(self, container_id: str) -> None:
        """Ask it to end (its stop signal, SIGTERM by default) and return at once."""

    async def kill_container(self, container_id: str) -> None: ...

    async def remove_container(self, container_id: str) -> None: ...

    async def exec(self, container_id: str, command: list[str], timeout: float) -> ExecResult:
        """Run to the end. Raises ``ExecTimeout``."""

    async def open_exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> Session: ...

    async def attach(self, container_id: str, *, stdin: bool) -> Session: ...

    def logs(self, container_id: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Whole lines, oldest first, several in one piece; with ``follow`` until the container ends."""

    async def figures(self) -> list[PodFigures]: ...
