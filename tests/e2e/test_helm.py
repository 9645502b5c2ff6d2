"""Real helm 3 with the chart in ``examples/chart``: install, upgrade, roll back, uninstall."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import workloads
from tests.e2e.binaries import binary
from tests.e2e.daemon import CommandFailed, run
from tests.e2e.space import Space

pytestmark = pytest.mark.e2e

CHART = Path(__file__).parents[2] / "examples" / "chart"
Helm = Callable[..., str]


@pytest.fixture
def helm(space: Space) -> Helm:
    program = binary("helm")

    def call(*words: str) -> str:
        return run([str(program), "--namespace", space.namespace, *words], space.daemon.environment(), 120)

    return call


@pytest.fixture
def values(space: Space, tmp_path: Path) -> str:
    """A file of values that runs the chart's program on this runtime."""
    image, command = workloads.SERVE[space.runtime]
    path = tmp_path / "values.json"
    path.write_text(json.dumps({"image": image, "command": command or []}))
    return str(path)


def greeting(space: Space) -> str:
    said: str = space.json("get", "configmap", "demo")["data"]["greeting"]
    return said


def test_a_release_lives_from_install_to_uninstall(space: Space, helm: Helm, values: str) -> None:
    notes = helm("install", "demo", str(CHART), "--values", values, "--wait", "--timeout=60s")
    assert "STATUS: deployed" in notes
    assert 'demo says "hello" from 2 replicas' in notes
    assert space.json("get", "deployment", "demo")["status"]["readyReplicas"] == 2
    assert [one["name"] for one in json.loads(helm("list", "--output", "json"))] == ["demo"]

    helm(
        "upgrade", "demo", str(CHART), "--values", values, "--set", "greeting=bye,replicas=3", "--wait", "--timeout=60s"
    )
    assert greeting(space) == "bye"
    assert space.json("get", "deployment", "demo")["status"]["readyReplicas"] == 3

    helm("rollback", "demo", "1", "--wait", "--timeout=60s")
    assert greeting(space) == "hello"
    assert space.json("get", "deployment", "demo")["spec"]["replicas"] == 2
    history = json.loads(helm("history", "demo", "--output", "json"))
    assert [one["status"] for one in history] == ["superseded", "superseded", "deployed"]

    assert 'release "demo" uninstalled' in helm("uninstall", "demo", "--wait", "--timeout=60s")
    assert json.loads(helm("list", "--output", "json")) == []
    left = space("get", "deployments,services,configmaps", "-o", "name").split()
    assert left == ["configmap/kube-root-ca.crt"]


def test_an_upgrade_that_never_becomes_ready_fails_and_is_rolled_back(space: Space, helm: Helm, values: str) -> None:
    helm("install", "demo", str(CHART), "--values", values, "--set", "replicas=1", "--wait", "--timeout=60s")
    with pytest.raises(CommandFailed, match="UPGRADE FAILED"):
        helm(
            "upgrade", "demo", str(CHART), "--values", values, "--set", "replicas=1,image=no/such:image",
            "--atomic", "--timeout=4s",
        )  # fmt: skip
    assert [one["status"] for one in json.loads(helm("history", "demo", "--output", "json"))][-1] == "deployed"
    image = space.json("get", "deployment", "demo")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == workloads.SERVE[space.runtime][0]
