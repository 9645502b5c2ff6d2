"""What people do with kubectl every day, with the oldest and the newest one supported, on both runtimes."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.daemon import free_port
from tests.api.custom.definitions import crontab, definition
from tests.e2e import workloads
from tests.e2e.daemon import CommandFailed, Daemon, run

pytestmark = pytest.mark.e2e


class Kubectl:
    """One kubectl against the daemon, in a namespace of its own."""

    def __init__(self, binary: Path, daemon: Daemon, namespace: str) -> None:
        self.binary = binary
        self.daemon = daemon
        self.runtime = daemon.runtime
        self.namespace = namespace

    def __call__(self, *words: str, stdin: str | None = None, timeout: float = 90) -> str:
        return run([str(self.binary), "-n", self.namespace, *words], self.daemon.environment(), timeout, stdin)

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "-o", "json"))

    def apply(self, *manifests: dict[str, Any], server_side: bool = False) -> str:
        document = yaml.safe_dump_all(manifests)
        return self("apply", *(["--server-side"] if server_side else []), "-f", "-", stdin=document)

    def rolled_out(self, name: str) -> str:
        return self("rollout", "status", f"deployment/{name}", "--timeout=60s")

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [str(self.binary), "-n", self.namespace, *words]
        return subprocess.Popen(
            command, env=self.daemon.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


@pytest.fixture
def k(kubectl: Path, daemon: Daemon, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    namespace = f"t{abs(hash(request.node.name)) % 10**9}"
    one = Kubectl(kubectl, daemon, namespace)
    run([str(kubectl), "create", "namespace", namespace], daemon.environment(), 30)
    daemon.wait("the default account", lambda: one("get", "serviceaccount", "default"))
    yield one
    run([str(kubectl), "delete", "namespace", namespace, "--wait=false"], daemon.environment(), 30)


@pytest.fixture
def web(k: Kubectl) -> str:
    k.apply(workloads.web(k.runtime, "web", 2), workloads.service("web"))
    k.rolled_out("web")
    return "web"


def test_apply_creates_then_configures_then_leaves_alone(k: Kubectl) -> None:
    manifest = workloads.web(k.runtime, "web", 1)
    assert "created" in k.apply(manifest)
    assert "unchanged" in k.apply(manifest)
    manifest["spec"]["replicas"] = 2
    assert "configured" in k.apply(manifest)
    assert k.json("get", "deployment", "web")["spec"]["replicas"] == 2


def test_a_list_is_applied_whole(k: Kubectl) -> None:
    items = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": name}}
        for name in ("one", "two")
    ]
    said = k("apply", "-f", "-", stdin=yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items}))
    assert said.split() == ["configmap/one", "created", "configmap/two", "created"]
    again = k("apply", "-f", "-", stdin=k("get", "configmap", "one", "two", "-o", "yaml"))
    assert "configmap/two configured" in again or "configmap/two unchanged" in again


def test_a_custom_kind_is_applied_explained_printed_scaled_and_refused(k: Kubectl) -> None:
    group = f"{k.namespace}.example.com"
    made = definition()
    del made["status"], made["metadata"]["uid"]
    made["spec"]["group"], made["metadata"]["name"] = group, f"crontabs.{group}"
    k.apply(made)
    k("wait", "--for=condition=Established", f"crd/crontabs.{group}", "--timeout=20s")
    obj = crontab() | {"apiVersion": f"{group}/v1", "metadata": {"name": "one"}}
    k.apply(obj)
    kind = f"crontabs.{group}"
    assert k("get", kind).split()[:4] == ["NAME", "SPEC", "REPLICAS", "AGE"]
    assert "cronSpec" in k("explain", f"{kind}.spec")
    k("scale", f"{kind}/one", "--replicas=3")
    assert k.json("get", kind, "one")["spec"]["replicas"] == 3
    with pytest.raises(CommandFailed, match="should be less than or equal to 10"):
        k("patch", kind, "one", "--type=merge", "-p", '{"spec":{"replicas":11}}')
    with pytest.raises(CommandFailed, match=r'unknown field "spec\.surprise"'):
        k.apply({**obj, "spec": {**obj["spec"], "surprise": 1}})
    k("delete", "crd", kind, "--timeout=20s")


def test_server_side_apply_owns_its_fields(k: Kubectl) -> None:
    manifest = workloads.web(k.runtime, "web", 1)
    assert "serverside-applied" in k.apply(manifest, server_side=True)
    k("scale", "deployment", "web", "--replicas=3")
    with pytest.raises(CommandFailed, match="conflict"):
        k.apply(manifest, server_side=True)


def test_diff_shows_what_apply_would_change(k: Kubectl, web: str) -> None:
    manifest = workloads.web(k.runtime, "web", 5)
    with pytest.raises(CommandFailed, match="replicas: 5") as caught:
        k("diff", "-f", "-", stdin=json.dumps(manifest))
    assert caught.value.code == 1


def test_get_prints_the_columns_of_kubernetes(k: Kubectl, web: str) -> None:
    assert k("get", "deployments").split()[:5] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert k("get", "pods", "-o", "wide").splitlines()[0].split()[:7] == [
        "NAME",
        "READY",
        "STATUS",
        "RESTARTS",
        "AGE",
        "IP",
        "NODE",
    ]
    assert "2/2" in k("get", "deployment", "web")
    assert "Ready" in k("get", "nodes")


def test_describe_tells_the_events(k: Kubectl, web: str) -> None:
    assert "ScalingReplicaSet" in k("describe", "deployment", "web")
    name = k.json("get", "pods", "-l", "app=web")["items"][0]["metadata"]["name"]

    def told() -> bool:
        _, _, events = k("describe", "pod", name).rpartition("Events:")  # what is above it has a "Started:" of its own
        return all(reason in events for reason in ("Scheduled", "Pulled", "Created", "Started"))

    k.daemon.wait("the four events of a start", told)


def test_a_watch_sees_a_scale(k: Kubectl, web: str) -> None:
    watch = k.start("get", "deployment", "web", "-w", "-o", "jsonpath={.status.readyReplicas}{'\\n'}")
    k("scale", "deployment", "web", "--replicas=3")
    assert watch.stdout is not None
    seen = ""
    deadline = time.monotonic() + 30
    while "3" not in seen and time.monotonic() < deadline:
        seen += watch.stdout.readline()
    watch.terminate()
    watch.communicate()
    assert "3" in seen


def test_set_image_rolls_out_and_undo_rolls_back(k: Kubectl, web: str) -> None:
    before = k.json("get", "deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"]
    k("set", "env", "deployment/web", "COLOUR=blue")
    assert "successfully rolled out" in k.rolled_out("web")
    history = k("rollout", "history", "deployment/web")
    assert [line.split()[0] for line in history.splitlines()[2:] if line.strip()] == ["1", "2"]
    k("rollout", "undo", "deployment/web")
    k.rolled_out("web")
    container = k.json("get", "deployment", "web")["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == before
    assert "env" not in container
    k("set", "image", "deployment/web", "web=no/such:image")
    k.daemon.wait(
        "the new image fails", lambda: "ErrImage" in k("get", "pods") or "ImagePullBackOff" in k("get", "pods")
    )
    k("rollout", "undo", "deployment/web")
    assert "successfully rolled out" in k.rolled_out("web")


def test_pause_resume_and_restart(k: Kubectl, web: str) -> None:
    k("rollout", "pause", "deployment/web")
    k("set", "env", "deployment/web", "A=b")
    assert len(k.json("get", "rs")["items"]) == 1
    k("rollout", "resume", "deployment/web")
    k.rolled_out("web")
    k("rollout", "restart", "deployment/web")
    k.rolled_out("web")
    assert len(k.json("get", "rs")["items"]) == 3


def test_delete_waits_until_the_pods_are_gone(k: Kubectl, web: str) -> None:
    k("delete", "deployment", "web", "--cascade=foreground", "--timeout=60s")
    assert k.json("get", "pods", "-l", "app=web")["items"] == []


def test_logs_are_followed(k: Kubectl) -> None:
    k.apply(
        workloads.pod(
            "talker", workloads.shell(k.runtime, "for i in 1 2 3; do echo line $i; sleep 0.2; done; sleep 30")
        )
    )
    k("wait", "--for=condition=Ready", "pod/talker", "--timeout=60s")
    follow = k.start("logs", "-f", "talker")
    assert follow.stdout is not None
    assert [follow.stdout.readline() for _ in range(3)] == ["line 1\n", "line 2\n", "line 3\n"]
    follow.terminate()
    follow.communicate()
    assert k("logs", "talker", "--tail=1") == "line 3\n"


def test_wait_for_conditions_and_for_deletion(k: Kubectl, web: str) -> None:
    assert "condition met" in k("wait", "--for=condition=Available", "deployment/web", "--timeout=60s")
    k("delete", "deployment", "web", "--wait=false")
    k("wait", "--for=delete", "deployment/web", "--timeout=60s")


def test_explain_and_api_resources(k: Kubectl) -> None:
    assert "replicas" in k("explain", "deployment.spec")
    listed = k("api-resources")
    for word in ("deployments", "cronjobs", "networkpolicies", "horizontalpodautoscalers"):
        assert word in listed


def test_create_makes_each_kind(k: Kubectl) -> None:
    image = workloads.SHELL[k.runtime]
    assert "created" in k("create", "deployment", "d", f"--image={image}", "--replicas=0")
    assert "created" in k("create", "configmap", "c", "--from-literal=a=b")
    assert "created" in k("create", "secret", "generic", "s", "--from-literal=a=b")
    assert "created" in k("create", "serviceaccount", "sa")
    assert "created" in k("create", "role", "r", "--verb=get", "--resource=pods")
    assert "created" in k("create", "job", "j", f"--image={image}", "--", "true")
    assert k.json("get", "secret", "s")["data"] == {"a": "Yg=="}


def test_exec_gives_output_input_and_exit_codes(k: Kubectl, web: str) -> None:
    assert k("exec", "deploy/web", "--", "echo", "hello") == "hello\n"
    assert k("exec", "-i", "deploy/web", "--", "cat", stdin="through\n") == "through\n"
    with pytest.raises(CommandFailed) as caught:
        k("exec", "deploy/web", "--", "sh", "-c", "exit 7")
    assert caught.value.code == 7


def test_port_forward_reaches_the_pod(k: Kubectl, web: str) -> None:
    import urllib.request

    port = free_port()
    forward = k.start("port-forward", "deployment/web", f"{port}:{workloads.PORT}")
    try:

        def fetch() -> bytes:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                content: bytes = answer.read()
                return content

        assert b"web-" in k.daemon.wait("the forwarded port", fetch, 20)
    finally:
        forward.terminate()
        forward.communicate()


def test_autoscale_makes_an_autoscaler(k: Kubectl, web: str) -> None:
    k("autoscale", "deployment", "web", "--min=1", "--max=4", "--cpu-percent=50")
    assert k.json("get", "hpa", "web")["spec"]["maxReplicas"] == 4


def test_label_annotate_patch_and_expose(k: Kubectl, web: str) -> None:
    k("label", "deployment", "web", "tier=front")
    k("annotate", "deployment", "web", "note=x")
    k("patch", "deployment", "web", "-p", '{"spec":{"minReadySeconds":1}}')
    live = k.json("get", "deployment", "web")
    assert (live["metadata"]["labels"]["tier"], live["metadata"]["annotations"]["note"]) == ("front", "x")
    assert live["spec"]["minReadySeconds"] == 1
    k("expose", "deployment", "web", "--name=exposed", "--port=80", "--target-port=8080")
    assert k.json("get", "service", "exposed")["spec"]["selector"] == {"app": "web"}


def test_drain_empties_the_node_and_uncordon_fills_it(k: Kubectl, web: str) -> None:
    node = k.json("get", "nodes")["items"][0]["metadata"]["name"]
    try:
        k(
            "drain",
            node,
            "--force",
            "--ignore-daemonsets",
            "--delete-emptydir-data",
            "--pod-selector=app=web",
            "--timeout=60s",
        )
        assert "SchedulingDisabled" in k("get", "node", node)
        phases = {pod["status"]["phase"] for pod in k.json("get", "pods", "-l", "app=web")["items"]}
        assert phases == {"Pending"}
    finally:
        k("uncordon", node)
    k.rolled_out("web")
