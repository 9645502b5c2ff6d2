"""Configuration, secrets and storage of pods: environment, files that follow updates, shared and host directories."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import workloads
from tests.e2e.space import Space

pytestmark = pytest.mark.e2e

STAY = "while true; do sleep 0.2; done"
SECRET = "hunter2-is-no-password"
SYNC_SECONDS = 90
"""The kubelet looks at volumes again within a minute."""
ACCOUNT = "var/run/secrets/kubernetes.io/serviceaccount"
"""Relative, as all paths here: the process runtime has what is mounted below the working directory."""


def run(space: Space, name: str, volumes: list[Any], *containers: dict[str, Any]) -> str:
    pod = workloads.pod(name, containers[0], volumes=volumes)
    pod["spec"]["containers"] = list(containers)
    space.apply(pod)
    space.ready(name)
    return name


def test_configuration_and_secrets_are_environment_and_files_that_follow(space: Space) -> None:
    space("create", "configmap", "settings", "--from-literal=colour=red")
    space("create", "secret", "generic", "keys", f"--from-literal=password={SECRET}")
    sources = [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "keys"}}]
    mounts = [{"name": "settings", "mountPath": "/settings"}, {"name": "keys", "mountPath": "/keys"}]
    volumes = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "keys", "secret": {"secretName": "keys"}},
    ]
    container = workloads.shell(space.runtime, STAY, envFrom=sources, volumeMounts=mounts)
    name = run(space, "reader", volumes, container)
    assert space.exec(name, "echo $colour $password") == f"red {SECRET}\n"
    assert space.exec(name, "cat settings/colour keys/password") == f"red{SECRET}"
    space("patch", "configmap", "settings", "-p", '{"data":{"colour":"blue"}}')
    space.wait("the file follows", lambda: space.exec(name, "cat settings/colour") == "blue", SYNC_SECONDS)
    told = space("get", "events", "-o", "yaml") + (space.daemon.data_dir / "daemon.log").read_text()
    assert SECRET not in told
    assert base64.b64encode(SECRET.encode()).decode() not in told


def test_two_containers_share_an_empty_directory_and_see_one_of_the_host(space: Space, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("from the host")
    mounts = [{"name": "shared", "mountPath": "/shared"}, {"name": "host", "mountPath": "/host"}]
    volumes = [{"name": "shared", "emptyDir": {}}, {"name": "host", "hostPath": {"path": str(tmp_path)}}]
    one = workloads.shell(space.runtime, STAY, volumeMounts=mounts)
    name = run(space, "pair", volumes, one, {**one, "name": "second"})
    space.exec(name, "echo hello > shared/word", container="main")
    assert space.exec(name, "cat shared/word host/note", container="second") == "hello\nfrom the host"


def test_the_mounted_token_is_good_at_the_api(space: Space) -> None:
    name = run(space, "caller", [], workloads.shell(space.runtime, STAY))
    token = space.exec(name, f"cat {ACCOUNT}/token")
    context = ssl.create_default_context(cadata=space.exec(name, f"cat {ACCOUNT}/ca.crt"))
    assert space.exec(name, f"cat {ACCOUNT}/namespace") == space.namespace
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    request = urllib.request.Request(
        f"https://127.0.0.1:{space.daemon.port}/apis/authentication.k8s.io/v1/selfsubjectreviews",
        json.dumps(review).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, context=context, timeout=5) as answer:
        user = json.load(answer)["status"]["userInfo"]
    assert user["username"] == f"system:serviceaccount:{space.namespace}:default"
