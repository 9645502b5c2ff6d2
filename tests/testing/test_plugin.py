"""The pytest plugin as a stranger uses it: with no runner of async tests, with pytest-asyncio, anyio's and xdist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedding.manifests import WEB

pytestmark = pytest.mark.slow

SCENE = """
async def test_pods_leave_a_dead_node(cluster):
    await cluster.apply("web.yaml")
    await cluster.wait("deployment/web", "Available")
    await cluster.kill("node-1")
    await cluster.advance(minutes=6)
    nodes = {pod.spec.nodeName for pod in await cluster.list("pods", app="web")}
    assert nodes == {"node-2", "node-3"}
"""
FAILING = """
import pytest

@pytest.mark.cluster(cpu="600m")
async def test_pods_leave_a_dead_node(cluster):
    await cluster.apply("web.yaml")
    await cluster.wait("deployment/web", "Available")
    await cluster.kill("node-1")
    await cluster.advance(minutes=6)
    await cluster.wait("deployment/web", "Available", timeout=30)
"""


def pytest_in(folder: Path, source: str, *arguments: str, code: int = 0) -> str:
    (folder / "web.yaml").write_text(WEB)
    (folder / "test_web.py").write_text(source)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, "test_web.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


RUNNERS = {
    "nobody": (SCENE, ("-p", "no:asyncio", "-p", "no:anyio")),
    "pytest-asyncio": (SCENE, ("-o", "asyncio_mode=auto")),
    "pytest-asyncio, strict": ("import pytest\n@pytest.mark.asyncio" + SCENE, ()),
    "anyio": (
        "import pytest\npytestmark = pytest.mark.anyio\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
        + SCENE,
        ("-p", "no:asyncio"),
    ),
    "xdist": (SCENE, ("-p", "no:asyncio", "-n", "2")),
    "a seed": (SCENE, ("--seed", "7")),
    "a seed under pytest-asyncio": (SCENE, ("-o", "asyncio_mode=auto", "--seed", "7")),
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_scene_passes_with_every_runner(runner: str, tmp_path: Path) -> None:
    source, arguments = RUNNERS[runner]
    assert "1 passed" in pytest_in(tmp_path, source, *arguments)


def test_a_failure_reads_as_the_scene_says_and_replays(tmp_path: Path) -> None:
    out = pytest_in(tmp_path, FAILING, "-p", "no:asyncio", "--seed", "7", code=1)
    again = pytest_in(tmp_path, FAILING, "-p", "no:asyncio", "--seed", "7", code=1)
    other = pytest_in(tmp_path, FAILING, "-p", "no:asyncio", "--seed", "8", code=1)
    said = message(out)
    assert re.fullmatch(
        r"waited for deployment/web Available: 2 of 3 pods ready\n"
        r"  pod/web-\w+-\w+  Pending  no node fits: 1 not ready, 2 too little cpu \(asked 500m, free 100m and 100m\)\n"
        r"  because: deployment/web \(you, revision \d+\) -> replicaset/web-\w+ \(revision \d+\)"
        r" -> pod/web-\w+-\w+ \(revision \d+\)\n"
        r"  after: node/node-1 \(you, revision \d+\) -> pod/web-\w+-\w+ \(revision \d+\)\n"
        r"replay: pytest test_web.py::test_pods_leave_a_dead_node --seed 7",
        said,
    ), said
    assert message(again) == said
    assert message(other).replace("--seed 8", "--seed 7") != said
    for title in ("podium: cluster", "podium: events", "podium: changes of deployment/web", "podium: causes"):
        assert title in out
    assert "FailedScheduling" in out
    assert re.search(r"status\.readyReplicas: 3 -> 2", out)


def test_any_failure_says_with_which_command_it_comes_again(tmp_path: Path) -> None:
    source = "async def test_it(cluster):\n    await cluster.power_off('node-2')\n    assert 1 == 2\n"
    out = pytest_in(tmp_path, source, "-p", "no:asyncio", "--seed", "7", code=1)
    assert re.search(r"-+ podium: replay -+\npytest test_web\.py::test_it --seed 7\n", out), out
    assert re.search(r"-+ podium: faults -+\n +\d+\.\d{3} s  power off node-2\n", out), out


def message(out: str) -> str:
    """The text of the ``Unmet``, without pytest's margin."""
    lines = out.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("E ") and "Unmet: waited" in line)
    found = [lines[first].split("Unmet: ", 1)[1]]
    return "\n".join([*found, *(line[8:] for line in lines[first + 1 : first + 5])])


def test_a_sync_test_gets_a_blocking_cluster_and_shared_ones_a_namespace_each(tmp_path: Path) -> None:
    source = """
import pytest

def test_blocking(cluster):
    cluster.apply("web.yaml")
    cluster.wait("deployment/web", "Available")
    cluster.advance(hours=1)

@pytest.mark.cluster(shared=True)
def test_one(cluster):
    cluster.apply("web.yaml")
    cluster.wait("deployment/web", "Available")
    assert len(cluster.list("pods")) == 3

@pytest.mark.cluster(shared=True)
async def test_two(cluster):
    assert await cluster.list("pods") == []
    assert cluster.namespace != "default"

async def test_client(kube_client):
    from orchestrator.client.kinds import NODES
    assert len((await kube_client.list(NODES)).items) == 3
"""
    assert "4 passed" in pytest_in(tmp_path, source, "-p", "no:asyncio")


def test_what_runs_beside_the_tests_of_a_module_finds_the_cluster_that_they_share(tmp_path: Path) -> None:
    source = """
import pytest

pytestmark = pytest.mark.cluster(nodes=1, shared=True)

def test_without_a_door(cluster):
    with pytest.raises(Exception, match="serve"):
        cluster.kubeconfig()

@pytest.fixture(scope="module")
def beside(shared_cluster, shared_kubeconfig):
    assert shared_kubeconfig.read_text() == shared_cluster.kubeconfig()
    shared_cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "beside"}})

async def test_one(cluster, beside):
    assert (await cluster.get("namespace/beside")).metadata.name == "beside"
    assert len(await cluster.list("nodes")) == 1

def test_two(cluster, beside, shared_cluster, kubeconfig):
    assert kubeconfig.read_text() == shared_cluster.kubeconfig()
    assert shared_cluster.get("namespace", cluster.namespace)

@pytest.mark.cluster(nodes=2)
def test_of_another_size(cluster, beside):
    assert len(cluster.list("nodes")) == 2
    assert cluster.find("namespace/beside") is None

@pytest.mark.cluster(shared=False)
async def test_alone(cluster, beside):
    assert await cluster.find("namespace/beside") is None
"""
    assert "5 passed" in pytest_in(tmp_path, source, "-p", "no:asyncio")


def test_a_version_that_is_not_served_is_refused(tmp_path: Path) -> None:
    source = "import pytest\n@pytest.mark.cluster(version='1.20')\nasync def test_it(cluster): ...\n"
    assert "expected version '1.37'" in pytest_in(tmp_path, source, "-p", "no:asyncio", code=1)


def test_a_session_without_clusters_imports_none(tmp_path: Path) -> None:
    names = ("orchestrator.cluster", "orchestrator.embedding", "numpy")
    source = f"import sys\ndef test_it():\n    assert not [name for name in {names} if name in sys.modules]\n"
    assert "1 passed" in pytest_in(tmp_path, source)


def test_the_collector_looks_rarely_and_not_at_what_was_imported_in_a_session_with_clusters(tmp_path: Path) -> None:
    asked = "import gc\nimported = gc.get_threshold()[0]\n{test}\n    assert imported == 50_000\n"
    source = asked.format(test="async def test_it(cluster):\n    assert gc.get_freeze_count() > 10_000")
    assert "1 passed" in pytest_in(
        tmp_path, source + "    assert gc.get_threshold()[0] == 50_000\n", "-p", "no:asyncio"
    )
    source = asked.format(test="def test_it():\n    assert gc.get_freeze_count() == 0")
    assert "1 passed" in pytest_in(tmp_path, source + "    assert gc.get_threshold()[0] < 50_000\n")
