from pathlib import Path

import pytest

from orchestrator.config import ClusterConfig, ConfigError, load, parse_listen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:7443", ("127.0.0.1", 7443)),
        (":7443", ("127.0.0.1", 7443)),
        ("[::1]:1", ("::1", 1)),
        ("h", ("h", 6443)),
    ],
)
def test_listen_is_a_host_and_a_port(text: str, expected: tuple[str, int]) -> None:
    assert parse_listen(text) == expected


def test_a_port_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected HOST:PORT"):
        parse_listen("127.0.0.1:70000")


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "podium.yaml"
    path.write_text("nodes: 3\nlisten: 127.0.0.1:7443\nimages: {redis: [redis-server, --port, '6379']}\n")
    config = load(path, ClusterConfig(runtime="process"))
    assert (config.nodes, config.runtime, config.listen) == (3, "process", ("127.0.0.1", 7443))
    assert config.images == {"redis": ["redis-server", "--port", "6379"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour: red", "colour: no such setting"),
        ("nodes: many", "nodes: expected int, found 'many'"),
        ("nodes: -1", "nodes: expected 0 to"),
        ("runtime: magic", "runtime: expected one of auto"),
        ("a: [", "is not YAML"),
        ("- a", "expected a mapping"),
        ("images: {a: 5}", "images.a: expected a program"),
        ("serviceCIDR: nowhere", "expected an IPv4 network"),
    ],
)
def test_a_bad_file_is_one_line_that_names_the_setting(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "podium.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load(path, ClusterConfig())
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none"):
        load(tmp_path / "none", ClusterConfig())


SCHEDULER = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"


def test_the_scheduler_is_configured_in_place_or_by_a_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "scheduler.yaml").write_text(SCHEDULER + "profiles: [{schedulerName: packing}]\n")
    path = tmp_path / "podium.yaml"
    path.write_text("scheduler: scheduler.yaml\n")
    found = load(path, ClusterConfig())
    assert found.scheduler is not None
    assert [profile.scheduler for profile in found.scheduler.profiles] == ["packing"]
    path.write_text("scheduler: {apiVersion: v1, kind: Pod}\n")
    with pytest.raises(ConfigError, match=r"scheduler\.kind: expected kubescheduler\.config\.k8s\.io/v1"):
        load(path, ClusterConfig())
