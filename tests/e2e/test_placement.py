"""Real programs, Services, names and HTTPS with every component in a worker process; the workers are killed too."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.cli.datadir import process_start_ticks
from tests.e2e import workloads
from tests.e2e.daemon import CommandFailed, Daemon
from tests.e2e.space import Space, fetch
from tests.e2e.test_kill import processes

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.geteuid() != 0, reason="cluster addresses need root")]

PLACE = "all=others,kubelets=nodes,door=door"
PODS = 6


@pytest.fixture
def placed(newest_kubectl: Path, tmp_path: Path) -> Iterator[Daemon]:
    one = Daemon(tmp_path, "process", newest_kubectl)
    one.up("--place", PLACE)
    try:
        yield one
    finally:
        with contextlib.suppress(CommandFailed):
            one.down()


def workers(daemon: Daemon) -> list[int]:
    """The worker processes of the daemon, by their parent."""
    parent = daemon.record().pid
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(status[1]) == parent and b"actors.remoting.worker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return sorted(found)


def test_pods_services_and_https_are_the_same_from_worker_processes_and_outlive_their_end(placed: Daemon) -> None:
    space = Space(placed, "placed")
    before = workers(placed)
    assert len(before) == 3
    space.apply(workloads.web("process", "web", PODS), workloads.service("web", selector={"app": "web"}))
    space.rolled_out("web")
    space.wait("all are in the Service", lambda: len(space.endpoints("web")) == PODS)
    url = f"http://{space.json('get', 'service', 'web')['spec']['clusterIP']}/"
    assert space.wait(url, lambda: fetch(url), 20)
    pod = space.pods("web")[0]["metadata"]["name"]
    assert space.exec(pod, "echo here").strip() == "here"
    programs = processes(placed)
    assert sum(programs.values()) == PODS
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    placed.wait("all are new", lambda: len(new := workers(placed)) == 3 and not set(new) & set(before))
    assert placed.wait("the API answers", lambda: space.pods("web"))
    assert processes(placed) == programs, "programs outlive the kubelet's process"
    space("set", "env", "deployment/web", "NEW=1")
    space.rolled_out("web")
    space.wait("as many as before", lambda: sum(processes(placed).values()) == PODS)
    assert not set(processes(placed)) & set(programs)
    assert space.wait(url, lambda: fetch(url), 20)
    ended = workers(placed)
    placed.down()
    assert not processes_left(placed)
    assert all(process_start_ticks(pid) is None for pid in ended)


def processes_left(daemon: Daemon) -> list[str]:
    return sorted(processes(daemon).elements())
