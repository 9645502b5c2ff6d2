"""What envtest starts: etcd without fsync and a kube-apiserver, until it says that it is ready."""

from __future__ import annotations

import contextlib
import socket
import ssl
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
POLL_SECONDS = 0.01
READY_SECONDS = 120.0
MB = 1024 * 1024


def measure(apiserver: str, etcd: str, rounds: int) -> dict[str, Any]:
    """``rounds`` starts after a first; its files are in the page cache then."""
    records = [_once(apiserver, etcd) for _ in range(rounds + 1)]
    first, rest = records[0], records[1:]
    return {
        "first_seconds": first["seconds"],
        "first_cpu_seconds": first["cpu_seconds"],
        "next_seconds": statistics.median(record["seconds"] for record in rest),
        "next_cpu_seconds": statistics.median(record["cpu_seconds"] for record in rest),
        "rounds": rounds,
        "memory_mb": statistics.median(record["memory_mb"] for record in rest),
    }


def _once(apiserver: str, etcd: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands, url = _commands(folder, apiserver, etcd)
        begun = time.perf_counter()
        with _started(commands[0]) as store, _started(commands[1]) as server:
            _until_ready(url, server)
            seconds = time.perf_counter() - begun
            both = (store.pid, server.pid)
            return {
                "seconds": seconds,
                "cpu_seconds": sum(_cpu_seconds(pid) for pid in both),
                "memory_mb": sum(_resident(pid) for pid in both) / MB,
            }


def _commands(folder: Path, apiserver: str, etcd: str) -> tuple[list[list[str]], str]:
    client, peer, secure = (_free_port() for _ in range(3))
    (folder / "sa.key").write_bytes(_key())
    store = [
        etcd,
        "--unsafe-no-fsync",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://{HOST}:{client}",
        f"--advertise-client-urls=http://{HOST}:{client}",
        f"--listen-peer-urls=http://{HOST}:{peer}",
    ]
    server = [
        apiserver,
        f"--etcd-servers=http://{HOST}:{client}",
        f"--cert-dir={folder}",
        f"--bind-address={HOST}",
        f"--secure-port={secure}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--service-account-issuer=https://localhost",
        f"--service-account-key-file={folder / 'sa.key'}",
        f"--service-account-signing-key-file={folder / 'sa.key'}",
        "--allow-privileged",
    ]
    return [store, server], f"https://{HOST}:{secure}/readyz"


def _key() -> bytes:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    context = ssl._create_unverified_context()
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"expected a kube-apiserver that runs, found exit code {server.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):  # not yet: 5xx is one of them
            urllib.request.urlopen(url, context=context, timeout=5).close()
            return
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"{url} was not ready within {READY_SECONDS:g} s")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
