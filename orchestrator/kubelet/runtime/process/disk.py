"""What the process runtime keeps on disk of a pod, and the start and end of its shim. Blocks: called in a thread."""

from __future__ import annotations

import marshal
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.kubelet.runtime.errors import RuntimeFailure
from orchestrator.kubelet.runtime.process.figures import start_ticks
from orchestrator.kubelet.runtime.process.link import State, is_served, pack
from orchestrator.kubelet.runtime.runtime import Container, ContainerConfig, Sandbox, SandboxConfig

ROOT = Path(__file__).parents[4]
SHIM = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from orchestrator.kubelet.runtime.process.shim import main; main()"
)
"""Imported, not run as a file: so its compiled form is cached."""
SHIM_START_SECONDS = 10.0
LOST = 137


class Made(msgspec.Struct, frozen=True):
    """``container.json``: what a container was made of, enough to start it and to execute beside it."""

    container: Container
    spec: dict[str, Any]


class Stored(msgspec.Struct, frozen=True):
    """``pod.json``."""

    config: SandboxConfig
    sandbox: Sandbox


def inside(root: Path, path: str) -> Path:
    """``path`` below ``root``, never outside of it."""
    return root / os.path.normpath("/" + path).lstrip("/")


def store_pod(folder: Path, stored: Stored) -> None:
    new = folder / "pod.json.new"
    new.write_bytes(msgspec.json.encode(stored))
    new.rename(folder / "pod.json")


def make_folder(folder: Path, stored: Stored) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    store_pod(folder, stored)


def shim_command(folder: Path) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", SHIM, str(folder)]


def start_shim(folder: Path, command: list[str]) -> int:
    """Its pid. It is the child of nothing of ours: its starter has ended when this returns. Raises RuntimeFailure."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SHIM_START_SECONDS)
    except subprocess.TimeoutExpired:
        raise RuntimeFailure("ShimFailed", f"the shim did not start within {SHIM_START_SECONDS:g} s") from None
    if done.returncode != 0:
        raise RuntimeFailure("ShimFailed", done.stderr.decode(errors="replace").strip()[-512:])
    return int((folder / "shim.pid").read_text())


def make_container(folder: Path, made: Made, config: ContainerConfig) -> None:
    root = folder / "root"
    folder.mkdir(exist_ok=True, mode=0o755)
    root.mkdir(exist_ok=True)
    for mount in config.mounts:
        target = inside(root, mount.target)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_symlink() and not target.exists():
            target.symlink_to(mount.source)
    inside(root, config.termination_message_path).parent.mkdir(parents=True, exist_ok=True)
    Path(made.spec["cwd"]).mkdir(parents=True, exist_ok=True)
    new = folder / "container.json.new"
    new.touch(mode=0o600)
    new.write_bytes(msgspec.json.encode(made))
    new.rename(folder / "container.json")


def read_made(folder: Path) -> list[Made]:
    found = [msgspec.json.decode(path.read_bytes(), type=Made) for path in folder.glob("*/container.json")]
    return sorted(found, key=lambda made: made.container.created_at)


def read_states(folder: Path, made: dict[str, Made]) -> dict[str, State]:
    found = {}
    for key, one in made.items():
        try:
            found[key] = marshal.loads(
                (folder / f"{one.container.name}.{one.container.attempt}" / "state").read_bytes()
            )
        except (FileNotFoundError, EOFError, ValueError):
            continue
    return found


def end_leftovers(states: dict[str, State]) -> dict[str, State]:
    """Without its shim nobody keeps a container's log and status: one that still runs is killed."""
    ended = {}
    for key, state in states.items():
        if not state["finished"]:
            if state["pid"] and start_ticks(state["pid"]) == state["ticks"]:
                try:
                    os.killpg(state["pid"], signal.SIGKILL)
                except ProcessLookupError:
                    pass
            state = {
                **state,
                "finished": time.time_ns(),
                "code": LOST,
                "signal": int(signal.SIGKILL),
                "reason": "Error",
            }
        ended[key] = state
    return ended


def end_shim(folder: Path) -> None:
    """End the shim of an earlier life and its processes; nobody there is no error."""
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        with socket.socket(socket.AF_UNIX) as shim:
            shim.connect(f"/proc/self/fd/{descriptor}/shim.sock")
            shim.sendall(pack("end"))
    except OSError:
        return
    finally:
        os.close(descriptor)
    wait_for_end(folder)


def wait_for_end(folder: Path) -> None:
    for _ in range(200):
        if not is_served(folder):
            return
        time.sleep(0.005)
