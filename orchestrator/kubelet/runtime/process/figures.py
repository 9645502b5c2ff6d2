"""CPU and memory of sessions of processes, and the size of this machine, from /proc. Blocks: called in a thread."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from orchestrator.kubelet.runtime.runtime import Machine

TICK_NANOSECONDS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


def stat_fields(pid: int) -> list[bytes]:
    """The fields of ``/proc/<pid>/stat`` from the state on (field 3 first); empty without such a process."""
    try:
        return (PROC / str(pid) / "stat").read_bytes().rsplit(b")", 1)[1].split()
    except OSError:
        return []


def start_ticks(pid: int) -> int:
    """When a process began (field 22): with the pid an identity that is never used again. 0 without such a process."""
    fields = stat_fields(pid)
    return int(fields[19]) if fields and fields[0] != b"Z" else 0


def sessions(leaders: set[int]) -> dict[int, tuple[int, int]]:
    """CPU nanoseconds and resident bytes of each of these sessions, by the pid of its leader."""
    found: dict[int, tuple[int, int]] = {}
    for name in os.listdir(PROC):
        if not name.isdigit():
            continue
        fields = stat_fields(int(name))
        if not fields or int(fields[3]) not in leaders:
            continue
        leader = int(fields[3])
        cpu, memory = found.get(leader, (0, 0))
        cpu += sum(map(int, fields[11:15])) * TICK_NANOSECONDS
        found[leader] = (cpu, memory + int(fields[21]) * PAGE_BYTES)
    return found


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _os_name() -> str:
    for line in _text("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return "Linux"


def machine(folder: Path, runtime_version: str) -> Machine:
    """This machine as a node; ``folder`` says which disk counts."""
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return Machine(
        cpu_millis=(os.cpu_count() or 1) * 1000,
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * PAGE_BYTES,
        storage_bytes=shutil.disk_usage(folder).total,
        runtime_version=runtime_version,
        architecture=names.get(platform.machine(), platform.machine()),
        operating_system=platform.system().lower(),
        kernel_version=platform.release(),
        os_image=_os_name(),
        machine_id=_text("/etc/machine-id"),
        boot_id=_text("/proc/sys/kernel/random/boot_id"),
    )
