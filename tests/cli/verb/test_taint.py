from __future__ import annotations

import pytest

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.taint import changed, split

HELD = {"key": "a", "value": "1", "effect": "NoSchedule"}


def test_nodes_and_taints_are_told_apart() -> None:
    named, changes = split(["nodes", "node-1", "node/node-2", "a=1:NoSchedule", "b-", "c:NoExecute-"])
    assert named == ["node-1", "node-2"]
    assert changes == [(HELD, False), ({"key": "b"}, True), ({"key": "c", "effect": "NoExecute"}, True)]


def test_a_taint_is_added_beside_one_of_the_same_key_and_another_effect() -> None:
    new = {"key": "a", "effect": "NoExecute"}
    assert changed("node/n", [HELD], [(new, False)], overwrite=False) == [HELD, new]


def test_a_key_alone_removes_every_effect() -> None:
    taints = [HELD, {"key": "a", "effect": "NoExecute"}, {"key": "b", "effect": "NoExecute"}]
    assert changed("node/n", taints, [({"key": "a"}, True)], overwrite=False) == [taints[2]]


def test_another_value_needs_overwrite() -> None:
    new = {**HELD, "value": "2"}
    with pytest.raises(CommandError, match="node/n has taint a:NoSchedule already"):
        changed("node/n", [HELD], [(new, False)], overwrite=False)
    assert changed("node/n", [HELD], [(new, False)], overwrite=True) == [new]


def test_a_taint_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(CommandError, match="node/n has no taint b"):
        changed("node/n", [HELD], [({"key": "b"}, True)], overwrite=False)


def test_an_effect_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CommandError, match="found 'Never'"):
        split(["node-1", "a=1:Never"])
