"""``podium up`` where it cannot start says in one line what and how to go on; stopping and starting keeps what runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import workloads
from tests.e2e.daemon import CommandFailed, Daemon

pytestmark = pytest.mark.e2e


@pytest.fixture
def fresh(newest_kubectl: Path, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of processes that has not started, in a directory that does not exist yet."""
    one = Daemon(tmp_path / "data", "process", newest_kubectl)
    yield one
    with contextlib.suppress(CommandFailed):
        one.down()


def refusal(daemon: Daemon, *more: str) -> str:
    """The one line that ``up`` says instead of starting."""
    with pytest.raises(CommandFailed) as caught:
        daemon.up(*more)
    lines = caught.value.output.strip().splitlines()
    assert len(lines) == 1, caught.value.output
    assert lines[0].startswith("podium up: ")
    return lines[0]


def test_an_unknown_setting_is_named_with_those_that_exist(fresh: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("replicas: 3\n")
    said = refusal(fresh, "--config", str(path))
    assert "replicas: no such setting" in said
    assert "serviceCIDR" in said


def test_a_taken_port_is_named_with_the_option_that_chooses_another(fresh: Daemon) -> None:
    with socket.create_server(("127.0.0.1", fresh.port)):
        said = refusal(fresh)
    assert f"127.0.0.1:{fresh.port}" in said
    assert "--listen" in said


def test_a_second_daemon_on_the_same_directory_is_refused(fresh: Daemon) -> None:
    fresh.up()
    (fresh.data_dir / "daemon.json").rename(fresh.data_dir / "hidden.json")
    second = Daemon(fresh.data_dir, "process", fresh.binary)
    try:
        assert str(fresh.data_dir) in refusal(second)
    finally:
        (fresh.data_dir / "hidden.json").rename(fresh.data_dir / "daemon.json")
    assert "ok" in fresh.kubectl("get", "--raw", "/readyz")


def test_a_foreign_file_in_place_of_the_log_is_left_alone(fresh: Daemon) -> None:
    fresh.up()
    fresh.down()
    log = fresh.data_dir / "store" / "log.sqlite"
    log.write_text("somebody's letters\n" * 100)
    assert str(fresh.data_dir) in refusal(fresh)
    assert log.read_text().startswith("somebody's letters")


def test_a_directory_that_cannot_be_made_is_named_with_the_option(fresh: Daemon, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    said = refusal(fresh)
    assert str(fresh.data_dir) in said
    assert "--data-dir" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_said_in_one_line(fresh: Daemon) -> None:
    fresh.data_dir.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(fresh.data_dir)])
    assert mounted.returncode == 0
    try:
        with contextlib.suppress(OSError):
            (fresh.data_dir / "filler").write_bytes(b"x" * 240 * 1024)
        said = refusal(fresh)
        assert "full" in said or "No space left" in said
    finally:
        subprocess.run(["umount", "--lazy", str(fresh.data_dir)], check=True)


def pids(daemon: Daemon) -> dict[str, int]:
    """The processes of the pods that live below the data directory, by pod name, read from /proc."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"images/web.py" not in (folder / "cmdline").read_bytes():
                continue
            if os.readlink(folder / "cwd").startswith(str(daemon.data_dir)):
                words = (folder / "environ").read_bytes().split(b"\0")
                name = next(word for word in words if word.startswith(b"HOSTNAME="))
                found[name.decode()] = int(folder.name)
    return found


def test_containers_outlive_the_daemon_and_are_adopted_and_down_stops_them(fresh: Daemon) -> None:
    fresh.up()
    fresh.wait("the default account", lambda: fresh.kubectl("get", "serviceaccount", "default"))
    fresh.apply(json.dumps(workloads.web("process", "web", 3)))
    fresh.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    before = pids(fresh)
    assert len(before) == 3

    record, began = fresh.record(), time.monotonic()
    os.kill(record.pid, signal.SIGTERM)
    fresh.wait("the daemon ends", lambda: not record.alive(), 5)
    assert time.monotonic() - began <= 5
    assert pids(fresh) == before

    fresh.up()
    fresh.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert pids(fresh) == before
    pods = fresh.json("get", "pods", "-l", "app=web")["items"]
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods] == [0, 0, 0]

    assert "is down" in fresh.down()
    assert pids(fresh) == {}
