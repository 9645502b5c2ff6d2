"""The program of a sandbox, written by hand."""

from __future__ import annotations

import io
import tarfile

import pytest

from orchestrator.kubelet.runtime.docker.pause import archive, program


@pytest.mark.parametrize(("architecture", "machine", "size"), [("amd64", 62, 129), ("arm64", 183, 148)])
def test_it_is_a_small_static_executable(architecture: str, machine: int, size: int) -> None:
    made = program(architecture)
    assert made[:6] == b"\x7fELF\x02\x01"
    assert (int.from_bytes(made[18:20], "little"), len(made)) == (machine, size)


def test_an_architecture_without_code_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of amd64, arm64, found s390x"):
        program("s390x")


def test_the_archive_holds_the_program_alone() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive("amd64"))) as tar:
        assert [(one.name, one.mode) for one in tar.getmembers()] == [("pause", 0o755)]
