"""An environment of its own for each measured library, made under ``.cache/`` and kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from bench.actors.libraries import PEERS, Library

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "bench-actors"
INSTALL_SECONDS = 600.0
NEWEST = (3, 13)


class Unavailable(Exception):
    """The library cannot be measured here; the text says why."""


def command(library: Library, runs: int, cases: list[str]) -> list[str]:
    """What to run for ``library``. Makes its environment if there is none. Raises ``Unavailable``."""
    if library.script.endswith(".erl"):
        return _erlang(library, runs, cases)
    python = sys.executable if not library.package else str(_environment(library))
    arguments = ["--runs", str(runs), "--cases", ",".join(cases), "--loop", library.loop]
    return [python, str(PEERS / library.script), *arguments]


def _environment(library: Library) -> Path:
    home = CACHE / library.package
    python = home / "bin" / "python"
    done = home / "installed"
    if done.exists():
        return python
    shutil.rmtree(home, ignore_errors=True)
    _run([_interpreter(library.python), "-m", "venv", str(home)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", library.package, "uvloop"])
    done.touch()
    return python


def _interpreter(oldest: tuple[int, int]) -> str:
    """The oldest interpreter that will do: this one, one on the path, or one of pyenv's."""
    if sys.version_info[:2] >= oldest:
        return sys.executable
    for minor in range(oldest[1], NEWEST[1] + 1):
        name = f"python{oldest[0]}.{minor}"
        pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{oldest[0]}.{minor}.*/bin/{name}"))
        found = str(pyenv[-1]) if pyenv else shutil.which(name)
        if found is not None:
            return found
    raise Unavailable(f"needs Python {oldest[0]}.{oldest[1]}, found only {sys.version.split()[0]}")


def _erlang(library: Library, runs: int, cases: list[str]) -> list[str]:
    if shutil.which("erl") is None or shutil.which("erlc") is None:
        raise Unavailable("no erl and erlc here: apt-get install erlang-base")
    home = CACHE / library.name
    home.mkdir(parents=True, exist_ok=True)
    _run(["erlc", "-o", str(home), str(PEERS / library.script)])
    call = f'bench:main(["{runs}", "{",".join(cases)}"]).'
    return ["erl", "-noshell", "-pa", str(home), "-eval", call]


def _run(arguments: list[str]) -> None:
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"{arguments[0]} took longer than {INSTALL_SECONDS:g} s") from late
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable(lines[-1] if lines else f"{arguments[0]} ended with {done.returncode}")
