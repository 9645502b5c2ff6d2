"""Run the actors' suite on every supported Python that is found: ``python tools/test_pythons.py``.

Interpreters are looked for on the PATH and below ``~/.pyenv/versions``; a version that is absent is skipped and said
so. Each has a virtual environment of its own in ``.venv-pythons``, with the dependencies at the versions of the lock.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
PACKAGES = (
    *("aiohttp", "anyio", "cryptography", "msgpack", "msgspec", "prometheus-client", "structlog", "uvloop"),
    *("fastapi", "httpx", "hypothesis", "opentelemetry-sdk", "pytest", "pytest-asyncio"),
)
"""What ``actors`` and its tests import."""
SUITE = ("tests/actors", "--ignore", "tests/actors/test_typed.py")
"""What mypy says does not depend on the interpreter that runs it."""


def find(version: str) -> Path | None:
    """An interpreter of that version."""
    on_path = shutil.which(f"python{version}")
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python"))
    for candidate in candidates:
        command = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.stdout.strip() == version:
            return candidate
    return None


def prepare(version: str, interpreter: Path) -> Path:
    """The environment's interpreter, with everything installed."""
    folder = ROOT / ".venv-pythons" / version
    python = folder / "bin/python"
    stamp = folder / ".installed"
    lock = ROOT / "requirements-dev.lock"
    wanted = " ".join(PACKAGES) + "\n" + lock.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    subprocess.run([interpreter, "-m", "venv", folder], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", lock, *PACKAGES], check=True)
    stamp.write_text(wanted)
    return python


def main() -> int:
    failed = []
    for version in VERSIONS:
        interpreter = find(version)
        if interpreter is None:
            print(f"Python {version}: skipped, no such interpreter on the PATH or below ~/.pyenv/versions", flush=True)
            continue
        print(f"Python {version}: {interpreter}", flush=True)
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [prepare(version, interpreter), "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITE]
        if subprocess.run(command, cwd=ROOT, env=environment).returncode:
            failed.append(version)
    if failed:
        print(f"failed on Python {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
