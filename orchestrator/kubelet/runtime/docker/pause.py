"""The sandbox's image, made in memory: one static program of about 130 bytes that waits for ever. Pure.

The machine code is a loop around one system call: ``pause`` on x86-64, ``ppoll`` without an end on arm64.
"""

from __future__ import annotations

import io
import struct
import tarfile

IMAGE = "podium.dev/pause:1"
BASE = 0x400000
HEADER_BYTES = 64
PROGRAM_HEADER_BYTES = 56

X86_64 = bytes.fromhex("b822000000 0f05 ebf7")
"""``mov eax, 34; syscall; jmp`` to the start."""
AARCH64 = struct.pack("<7I", 0xD2800000, 0xD2800001, 0xD2800002, 0xD2800003, 0xD2800928, 0xD4000001, 0x17FFFFFA)
"""``mov x0..x3, 0; mov x8, 73; svc 0; b`` to the start."""

MACHINES = {"amd64": (62, X86_64), "arm64": (183, AARCH64)}
"""ELF machine number and code by architecture, as Docker names it."""


def program(architecture: str) -> bytes:
    """A static ELF executable. Raises ``ValueError`` for an architecture that is not known."""
    if architecture not in MACHINES:
        raise ValueError(f"expected one of {', '.join(MACHINES)}, found {architecture}")
    machine, code = MACHINES[architecture]
    start = HEADER_BYTES + PROGRAM_HEADER_BYTES
    size = start + len(code)
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH",
        2,
        machine,
        1,
        BASE + start,
        HEADER_BYTES,
        0,
        0,
        HEADER_BYTES,
        PROGRAM_HEADER_BYTES,
        1,
        0,
        0,
        0,
    )
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return header + load + code


def archive(architecture: str) -> bytes:
    """The tar of a root file system that holds ``/pause`` alone."""
    content = program(architecture)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("pause")
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
