"""A directory of files that change all at once: ``..data`` points to the present generation. Blocks.

Programs that read ``<directory>/<file>`` follow two links; a new generation is written beside the old one, then
``..data`` is replaced in one rename, as Kubernetes' AtomicWriter does.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

DATA = "..data"


class File(msgspec.Struct, frozen=True):
    content: bytes
    mode: int


Payload = dict[str, File]
"""Files by their path relative to the directory."""


def write_atomically(directory: Path, payload: Payload) -> bool:
    """Make ``directory`` hold exactly ``payload``; False when it does already."""
    directory.mkdir(parents=True, exist_ok=True)
    current = directory / DATA
    if current.is_symlink() and _read(current) == {path: file.content for path, file in payload.items()}:
        return False
    before = os.readlink(current) if current.is_symlink() else ""
    generation = _generation_after(before)
    _write_files(directory / generation, payload)
    link = directory / "..data_tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(generation)
    link.rename(current)
    _link_names(directory, {path.split("/", 1)[0] for path in payload})
    if before:
        shutil.rmtree(directory / before, ignore_errors=True)
    return True


def _generation_after(before: str) -> str:
    number = int(before.removeprefix("..gen-")) + 1 if before.startswith("..gen-") else 1
    return f"..gen-{number}"


def _read(link: Path) -> dict[str, bytes]:
    root = link.resolve()
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _write_files(folder: Path, payload: Payload) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    for path, file in payload.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_bytes(file.content)
        target.chmod(file.mode)


def _link_names(directory: Path, names: set[str]) -> None:
    for held in list(directory.iterdir()):
        if held.is_symlink() and not held.name.startswith("..") and held.name not in names:
            held.unlink()
    for name in sorted(names):
        link = directory / name
        if not link.is_symlink():
            link.symlink_to(f"{DATA}/{name}")
