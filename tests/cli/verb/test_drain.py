from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.drain import plan


def options(**given: bool) -> Namespace:
    return Namespace(**{"force": False, "ignore_daemonsets": False, "delete_emptydir_data": False, **given})


def pod(name: str, owner: str = "", phase: str = "Running", **spec: Any) -> dict[str, Any]:
    owners = [{"kind": owner, "name": "o", "controller": True}] if owner else []
    return {"metadata": {"name": name, "ownerReferences": owners}, "spec": spec, "status": {"phase": phase}}


def test_pods_that_somebody_makes_again_are_moved() -> None:
    pods = [pod("a", "ReplicaSet"), pod("b", "StatefulSet")]
    assert plan("n", pods, options()) == pods


def test_every_pod_that_needs_a_flag_is_named_with_it() -> None:
    pods = [pod("a"), pod("b", "DaemonSet"), pod("c", "Job", volumes=[{"name": "v", "emptyDir": {}}])]
    with pytest.raises(CommandError) as raised:
        plan("n", pods, options())
    for words in (
        "a (no controller: --force",
        "b (of a DaemonSet: --ignore-daemonsets",
        "c (has emptyDir data: --delete",
    ):
        assert words in str(raised.value)


def test_pods_of_daemon_sets_are_left_and_others_moved_with_the_flags() -> None:
    pods = [pod("a"), pod("b", "DaemonSet")]
    assert plan("n", pods, options(force=True, ignore_daemonsets=True)) == pods[:1]


def test_finished_pods_need_no_flag() -> None:
    pods = [pod("a", phase="Succeeded", volumes=[{"name": "v", "emptyDir": {}}])]
    assert plan("n", pods, options()) == pods


def test_mirrors_of_static_pods_are_left() -> None:
    mirror = pod("a")
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    assert plan("n", [mirror], options()) == []
