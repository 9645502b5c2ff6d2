from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.remote import access
from orchestrator.cli.terminal import CommandError

CONFIG = """
current-context: {name}
clusters: [{{name: {name}, cluster: {{server: "https://{name}:6443"}}}}]
users: [{{name: {name}, user: {{token: secret, tokenFile: ""}}}}]
contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}, namespace: {name}-ns}}}}]
"""


def written(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text(CONFIG.format(name=name))
    return path


def test_an_option_wins_over_the_environment(tmp_path: Path) -> None:
    one, two = written(tmp_path, "one"), written(tmp_path, "two")
    assert access.find(str(one), None, {"KUBECONFIG": str(two)}, tmp_path).server == "https://one:6443"


def test_several_files_are_one_and_the_first_current_context_counts(tmp_path: Path) -> None:
    one, two = written(tmp_path, "one"), written(tmp_path, "two")
    environment = {"KUBECONFIG": f"{one}:{two}:{tmp_path / 'missing'}"}
    assert access.find(None, None, environment, tmp_path).namespace == "one-ns"
    assert access.find(None, "two", environment, tmp_path).namespace == "two-ns"


def test_the_usual_place_is_looked_at_when_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    written(tmp_path / ".kube", "config")
    assert access.find(None, None, {}, tmp_path).server == "https://config:6443"


def test_a_file_that_is_not_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="`podium up` makes one"):
        access.find(str(tmp_path / "none"), None, {}, tmp_path)


def test_an_unknown_context_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="'three'"):
        access.find(str(written(tmp_path, "one")), "three", {}, tmp_path)
