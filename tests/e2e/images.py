"""Docker and images without a registry: the engine of this machine, and images imported from static programs."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from tests.e2e.binaries import unavailable

BUSYBOX = Path("/bin/busybox")
IMAGE = "busybox:e2e"
APPLETS = (
    "sh",
    "sleep",
    "httpd",
    "nc",
    "wget",
    "cat",
    "echo",
    "ls",
    "true",
    "false",
    "env",
    "hostname",
    "date",
    "nslookup",
    "printf",
    "test",
    "kill",
    "mkdir",
    "touch",
    "head",
)


def require_docker() -> None:
    """The engine answers and has the image that the tests use."""
    if subprocess.run(["docker", "info"], capture_output=True).returncode:
        unavailable("no Docker engine answers")
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode:
        _import()


def _import() -> None:
    if not BUSYBOX.exists():
        unavailable("no static busybox (Debian: busybox-static)")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(BUSYBOX, "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for folder in ("tmp", "www"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(entry)
    subprocess.run(
        ["docker", "import", "--change", 'CMD ["sh"]', "--change", "ENV PATH=/bin", "-", IMAGE],
        input=archive.getvalue(),
        check=True,
        capture_output=True,
    )
