"""``kill -9`` of the daemon in the middle of a rollout: nothing is lost, nothing runs twice, it converges."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import workloads
from tests.e2e.daemon import CommandFailed, Daemon

pytestmark = pytest.mark.e2e

PODS = 30
KILLS = 20


@pytest.fixture
def own(runtime: str, newest_kubectl: Path, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own, because it does not survive."""
    one = Daemon(tmp_path, runtime, newest_kubectl)
    one.up()
    try:
        yield one
    finally:
        with contextlib.suppress(CommandFailed):
            one.down()


def running(daemon: Daemon) -> Counter[str]:
    """How many programs run for each pod and container, read past Podium: from /proc or from the engine."""
    return docker_containers(daemon) if daemon.runtime == "docker" else processes(daemon)


def processes(daemon: Daemon) -> Counter[str]:
    """Programs whose environment says which pod they are, and that live below this data directory."""
    found: Counter[str] = Counter()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            directory = os.readlink(folder / "cwd")
            if "images/web.py" in command and directory.startswith(str(daemon.data_dir)):
                match = re.search(r"HOSTNAME=([^\0]+)", (folder / "environ").read_bytes().decode(errors="replace"))
                found[match[1] if match else directory] += 1
    return found


def docker_containers(daemon: Daemon) -> Counter[str]:
    """Containers of this data directory's node, without the attempt in their names; sandboxes do not count."""
    owner = hashlib.sha256(str(daemon.data_dir).encode()).hexdigest()[:12]
    command = ["docker", "ps", "--format", "{{json .}}"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [json.loads(line) for line in listed]
    mine = [row["Names"] for row in rows if owner in row["Labels"] and "web" in row["Names"].split("_")]
    return Counter(name.rpartition("_")[0] for name in mine)


def converged(daemon: Daemon) -> bool:
    live = daemon.json("get", "deployment", "web")
    status = live.get("status", {})
    wanted = live["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    return counts == [wanted] * 4 and status.get("observedGeneration") == live["metadata"]["generation"]


def test_a_killed_daemon_loses_nothing_and_runs_nothing_twice(own: Daemon) -> None:
    """Twenty kills spread over the creation of thirty pods and over rolling updates of them."""
    source = random.Random(7)
    own.wait("the default account", lambda: own.kubectl("get", "serviceaccount", "default"))
    own.apply(json.dumps(workloads.web(own.runtime, "web", PODS)))
    in_the_middle = 0
    for number in range(KILLS):
        time.sleep(source.uniform(0.05, 1.2))
        own.kubectl("create", "configmap", f"acknowledged-{number}", f"--from-literal=n={number}")
        in_the_middle += not converged(
            own
        )  # an update keeps as many pods ready as it replaces: their count says nothing
        revision = int(own.json("get", "configmap", f"acknowledged-{number}")["metadata"]["resourceVersion"])
        own.kill()
        own.up()
        assert own.json("get", "configmap", f"acknowledged-{number}")["data"] == {"n": str(number)}
        listed = json.loads(own.kubectl("get", "--raw", "/api/v1/namespaces/default/configmaps"))
        assert int(listed["metadata"]["resourceVersion"]) >= revision
        twice = {name: count for name, count in running(own).items() if count > 1}
        assert not twice
        if converged(own):
            own.kubectl("set", "env", "deployment/web", f"ROUND={number}")
    own.wait("the rollout", lambda: converged(own), 120)
    assert in_the_middle >= 15
    own.wait("only the wanted programs run", lambda: sum(running(own).values()) == PODS, 30)
    listed = ("get", "pods", "-l", "app=web")
    own.wait("only the wanted pods are left", lambda: len(own.json(*listed)["items"]) == PODS, 30)
