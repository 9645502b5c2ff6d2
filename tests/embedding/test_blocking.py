"""A cluster for code without a loop."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
from pathlib import Path
from urllib.request import urlopen

import pytest

from orchestrator import Cluster, Unmet
from tests.embedding.manifests import WEB

UNVERIFIED = ssl._create_unverified_context()


def test_each_verb_waits_for_its_end_and_the_thread_goes_with_the_cluster() -> None:
    before = threading.active_count()
    with Cluster.start(nodes=2, clock="virtual") as cluster:
        cluster.apply(WEB)
        assert cluster.wait("deployment/web", "Available") is not None
        cluster.kill("node-1")
        cluster.advance(minutes=6)
        assert {pod.spec.nodeName for pod in cluster.list("pods", app="web")} == {"node-2"}
        with pytest.raises(Unmet, match="it is not there"):
            cluster.wait("deployment/other", "Available", timeout=1.0)
    assert threading.active_count() == before


@pytest.mark.slow
def test_a_served_one_leaves_no_thread_and_no_descriptor() -> None:
    def once() -> tuple[int, int]:
        with Cluster.start(serve=True) as cluster, urlopen(address(cluster.kubeconfig()), context=UNVERIFIED) as answer:
            assert answer.status == 200
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    assert once() == once() == once()


def address(kubeconfig: str) -> str:
    server = json.loads(kubeconfig)["clusters"][0]["cluster"]["server"]
    return f"{server}/healthz"


def test_a_start_that_fails_raises_where_it_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("no directory")
    with pytest.raises(Exception, match="store"):
        Cluster.start(data_dir=tmp_path)


@pytest.mark.e2e
def test_kubectl_speaks_to_an_embedded_cluster(tmp_path: Path) -> None:
    with Cluster.start(nodes=2, serve=True) as cluster:
        (tmp_path / "kubeconfig").write_text(cluster.kubeconfig())
        asked = ["kubectl", "--kubeconfig", str(tmp_path / "kubeconfig"), "get", "nodes", "-o", "name"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["node/node-1", "node/node-2"], done.stderr
