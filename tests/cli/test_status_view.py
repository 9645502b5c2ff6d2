from __future__ import annotations

from typing import Any

from orchestrator.cli.status_view import render


def actor(name: str, *children: dict[str, Any], **facts: Any) -> dict[str, Any]:
    base = {"name": name, "kind": "Actor", "state": "running", "mailbox": 0, "handled": 10, "perSecond": 1.0}
    return {**base, "restarts": 0, "children": list(children), "lastRestartReason": None, **facts}


def status(*branches: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "uptimeSeconds": 41 * 86400.0,
        "revision": 8812441,
        "nodes": {"ready": 3, "total": 3},
        "pods": 9801,
        "store": {"keys": 12, "log_bytes": 214_000_000},
        "requestsPerSecond": 312.4,
        "watches": 1204,
        "tree": actor("podium", *branches),
        **facts,
    }


def test_the_first_line_sums_up() -> None:
    first = render(status(), 120)[0]
    assert first == "podium 0.1.0 · up 41 d · 1 member · revision 8 812 441 · 3 nodes · 9 801 pods"


def test_each_component_is_one_line_with_what_it_knows() -> None:
    lines = render(status(actor("store"), actor("apiserver"), actor("scheduler", mailbox=7)), 120)
    assert lines[1] == "store          ●  12 keys · log 214 MB"
    assert lines[2] == "apiserver      ●  312 req/s · 1 204 watches"
    assert lines[3] == "scheduler      ●  7 waiting"
    assert lines[4] == "nodes          ●  3 of 3 ready"


def test_a_restart_is_never_silent() -> None:
    cronjob = actor("cronjob", restarts=2, lastRestartReason='invalid time zone "Mars/Base"\nin cronjob/backup')
    lines = render(status(actor("controllers", cronjob, actor("job"))), 140)
    assert lines[1] == (
        "controllers    ◐  2 of 2 actors · 0 waiting · "
        'cronjob restarted 2 times: invalid time zone "Mars/Base" in cronjob/backup'
    )


def test_an_actor_that_is_down_is_counted_and_marked() -> None:
    lines = render(status(actor("controllers", actor("job", state="stopped"), actor("hpa"))), 120)
    assert lines[1].startswith("controllers    ◐  1 of 2 actors")
    assert any("job (stopped)" in line for line in lines)


def test_missing_nodes_are_shown() -> None:
    lines = render(status(nodes={"ready": 2, "total": 3}), 120)
    assert lines[1] == "nodes          ◐  2 of 3 ready"


def test_the_tree_shows_mailbox_rate_messages_and_restarts() -> None:
    lines = render(status(actor("store", mailbox=3, perSecond=61.6, handled=12345, restarts=1)), 120)
    head = next(line for line in lines if line.startswith("ACTOR"))
    row = next(line for line in lines if line.startswith("└─ store"))
    assert head.split() == ["ACTOR", "MAILBOX", "MSG/S", "HANDLED", "RESTARTS"]
    assert row.split()[2:] == ["3", "62", "12", "345", "1"]


def test_many_calm_children_of_one_kind_are_one_line_with_their_sum() -> None:
    nodes = [actor(f"node-{number}", kind="Node", mailbox=1) for number in range(1, 9)]
    lines = render(status(actor("kubelets", *nodes)), 120)
    row = next(line for line in lines if "node-1" in line)
    assert "node-1 … node-8 (8)" in row
    assert row.split()[-4] == "8"


def test_a_child_that_restarted_stands_alone_among_many() -> None:
    nodes = [actor(f"node-{number}", kind="Node", restarts=int(number == 4)) for number in range(1, 15)]
    lines = [line.strip() for line in render(status(actor("kubelets", *nodes)), 120)]
    assert any(line.startswith("├─ node-4 ") for line in lines)
    assert any("node-5 … node-14 (10)" in line for line in lines)


def test_no_line_is_wider_than_the_terminal() -> None:
    deep = actor("a" * 60, actor("b" * 60, lastRestartReason="x" * 300, restarts=1))
    assert max(len(line) for line in render(status(deep), 80)) <= 80
