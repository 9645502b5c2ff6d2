"""Everything over an etcd that somebody runs: a rollout, a daemon that is killed in it, and a second life."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemon import CommandFailed, Daemon
from tests.store import etcd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(etcd.binary() is None, reason="no etcd here")]
REPLICAS = 4


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with etcd.running(tmp_path / "etcd") as url:
        yield url


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    one = Daemon(tmp_path / "data", "simulated", Path("none"), nodes=2)
    yield one
    try:
        one.down()
    except CommandFailed:
        one.kill()


def manifest(image: str) -> str:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image}]}}
    spec = {"replicas": REPLICAS, "selector": {"matchLabels": labels}, "template": template}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})


def images(daemon: Daemon) -> list[str]:
    """Of the pods that are ready."""
    found: dict[str, Any] = json.loads(daemon.podium("get", "pods", "-o", "json"))
    ready = [
        pod["spec"]["containers"][0]["image"]
        for pod in found["items"]
        if {"type": "Ready", "status": "True"}.items() <= _condition(pod).items()
    ]
    return sorted(ready)


def _condition(pod: dict[str, Any]) -> dict[str, Any]:
    conditions = pod.get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == "Ready"), {})


def roll_out(daemon: Daemon, folder: Path, image: str) -> None:
    path = folder / "web.json"
    path.write_text(manifest(image))
    daemon.podium("apply", "-f", str(path))


def test_a_rollout_over_etcd_ends_though_the_daemon_is_killed_in_it(url: str, daemon: Daemon, tmp_path: Path) -> None:
    store = url.replace("http://", "etcd://")
    daemon.up("--store", store)
    roll_out(daemon, tmp_path, "web:1")
    daemon.wait("four pods", lambda: images(daemon) == ["web:1"] * REPLICAS)
    roll_out(daemon, tmp_path, "web:2")
    daemon.kill()
    daemon.up("--store", store)
    daemon.wait("four new pods", lambda: images(daemon) == ["web:2"] * REPLICAS)
    assert not (daemon.data_dir / "store" / "log.sqlite").exists()
    body = json.dumps({"key": "cG9kaXVtL2FwcHMvZGVwbG95bWVudHMvZGVmYXVsdC93ZWI="}).encode()
    with urllib.request.urlopen(f"{url}/v3/kv/range", data=body) as answer:
        assert json.loads(answer.read())["count"] == "1", "podium/apps/deployments/default/web is in etcd"


def test_an_etcd_that_is_not_there_is_named(daemon: Daemon) -> None:
    with pytest.raises(CommandFailed) as caught:
        daemon.up("--store", "etcd://127.0.0.1:1")
    assert "no etcd answers at http://127.0.0.1:1" in caught.value.output
    with pytest.raises(CommandFailed) as caught:
        daemon.up("--store", "consul://127.0.0.1:1")
    assert "expected etcd://HOST:PORT" in caught.value.output


def test_a_daemon_is_asked_by_its_socket_and_saved_while_it_serves(daemon: Daemon, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    config = tmp_path / "podium.yaml"
    config.write_text(f"encryptionKeys: {keys}\n")
    daemon.up("--config", str(config))
    where = ("--data-dir", str(daemon.data_dir))
    daemon.podium("create", "secret", "generic", "token", "--from-literal=word=hunter2")
    assert "revision" in daemon.podium("store", "status", *where)
    assert "local" in daemon.podium("store", "member", "list", *where)
    saved = str(tmp_path / "snapshot")
    assert "whole" in daemon.podium("store", "snapshot", "save", saved, *where)
    daemon.down()
    files = (daemon.data_dir / "store").glob("log.sqlite*")
    assert b"aHVudGVyMg==" not in b"".join(path.read_bytes() for path in files)
    assert "is sound" in daemon.podium("store", "check", "--encryption-keys", str(keys), *where)
    daemon.up("--config", str(config))
    found = json.loads(daemon.podium("get", "secret", "token", "-o", "json"))
    assert found["data"]["word"] == "aHVudGVyMg=="
