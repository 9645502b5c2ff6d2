"""A disk of a member's own: a small file system in a file, that can be frozen and filled.

Needs root and loop devices.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

BYTES = 32 << 20
BLOCK_BYTES = 1024
FIFREEZE = 0xC0045877
FITHAW = 0xC0045878


class Volume:
    """An ext4 at ``path``. Every write to it waits while it is frozen, as on a disk that has stalled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._image = path.with_suffix(".img")
        self._frozen = False
        path.mkdir(parents=True, exist_ok=True)
        with self._image.open("wb") as file:
            file.truncate(BYTES)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))
        _run("mount", "-o", "loop", str(self._image), str(path))

    def freeze(self) -> None:
        self._control(FIFREEZE)
        self._frozen = True

    def thaw(self) -> None:
        if self._frozen:
            self._control(FITHAW)
            self._frozen = False

    def fill(self) -> None:
        """Not a block is left."""
        size = BYTES
        with self._ballast.open("wb") as file:
            while size >= BLOCK_BYTES:
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
                except OSError:
                    size //= 2

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        self.thaw()
        subprocess.run(["umount", "-l", str(self.path)], check=False, capture_output=True)
        self._image.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def _control(self, request: int) -> None:
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, request, 0)
        finally:
            os.close(handle)


def unavailable(folder: Path) -> str:
    """Why there are no such disks here, or ""."""
    if os.geteuid() != 0:
        return "not root: no file system can be mounted"
    try:
        volume = Volume(folder / "probe")
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        return f"no file system in a file: {said.decode(errors='replace').strip()}"
    volume.close()
    return ""


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
