from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.binaries import binary
from tests.e2e.daemon import CommandFailed, Daemon
from tests.e2e.images import require_docker
from tests.e2e.space import Space

RUNTIMES = ("process", "docker")


@pytest.fixture(scope="session", params=["kubectl-1.32", "kubectl-1.37"])
def kubectl(request: pytest.FixtureRequest) -> Path:
    return binary(request.param)


@pytest.fixture(scope="session")
def newest_kubectl() -> Path:
    return binary("kubectl-1.37")


@pytest.fixture(scope="module", params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    if request.param == "docker":
        require_docker()
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def daemon(runtime: str, newest_kubectl: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for a module and runtime."""
    one = Daemon(tmp_path_factory.mktemp("podium"), runtime, newest_kubectl)
    one.up()
    try:
        yield one
    finally:
        with contextlib.suppress(CommandFailed):
            one.down()


@pytest.fixture
def space(daemon: Daemon, request: pytest.FixtureRequest) -> Iterator[Space]:
    """A namespace of the test's own."""
    one = Space(daemon, f"t{abs(hash(request.node.name)) % 10**9}")
    yield one
    one.remove()
