from __future__ import annotations

from typing import Any

import pytest

from orchestrator.cli.remote import pods
from orchestrator.cli.terminal import CommandError


def pod(name: str, phase: str = "Running", ready: str = "True", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"initContainers": [{"name": "init"}], "containers": [{"name": "main"}, {"name": "side"}]},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]},
    }


def test_a_ready_pod_is_better_than_one_that_starts_or_goes() -> None:
    found = [pod("d", deletionTimestamp="x"), pod("c", "Pending"), pod("b", ready="False"), pod("a2"), pod("a1")]
    assert [entry["metadata"]["name"] for entry in sorted(found, key=pods.rank)] == ["a1", "a2", "b", "c", "d"]


def test_the_annotated_container_is_the_default() -> None:
    annotated = pod("a", annotations={pods.DEFAULT_CONTAINER: "side"})
    assert pods.container(annotated, "") == "side"


def test_the_first_container_is_used_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert pods.container(pod("a"), "") == "main"
    assert "out of: main, side" in capsys.readouterr().err


def test_a_container_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(CommandError, match="no container 'x'; it has init, main, side"):
        pods.container(pod("a"), "x")
