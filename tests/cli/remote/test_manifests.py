from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.remote import manifests
from orchestrator.cli.terminal import CommandError

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n"


def names(found: list[manifests.Manifest]) -> list[str]:
    return [entry.object["metadata"]["name"] for entry in found]


def test_several_documents_are_several_objects_and_empty_ones_none() -> None:
    found = manifests.parse("f", POD % "a" + "---\n---\n" + POD % "b")
    assert names(found) == ["a", "b"]
    assert found[1].source == "f (document 3)"


def test_the_items_of_a_list_take_its_kind() -> None:
    found = manifests.parse("f", "apiVersion: v1\nkind: PodList\nitems: [{metadata: {name: a}}]")
    assert (found[0].object["kind"], found[0].object["apiVersion"]) == ("Pod", "v1")


def test_the_items_of_a_plain_list_bring_their_own_kind() -> None:
    text = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: a}}]"
    assert names(manifests.parse("f", text)) == ["a"]


def test_a_folder_is_read_in_alphabetical_order_and_deeper_on_demand(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(POD % "b")
    (tmp_path / "a.json").write_text('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}')
    (tmp_path / "note.txt").write_text("no manifest")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.yml").write_text(POD % "c")
    assert names(manifests.read([str(tmp_path)])) == ["a", "b"]
    assert names(manifests.read([str(tmp_path)], recursive=True)) == ["a", "b", "c"]


def test_a_date_is_the_text_it_stands_for() -> None:
    found = manifests.parse("f", POD % "a" + "data: {day: 2026-01-02, at: 2026-01-02T03:04:05Z}")
    assert found[0].object["data"] == {"day": "2026-01-02", "at": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "f is no YAML at line 2: "),
        ("- a", "f: expected an object, found list"),
        ("kind: Pod", "f: apiVersion is not set"),
        ("apiVersion: v1", "f: kind is not set"),
        ("apiVersion: v1\nkind: Pod", "f: Pod has no metadata.name"),
    ],
)
def test_what_is_no_object_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        manifests.parse("f", text)


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(CommandError, match="cannot read /nonexistent/x: No such file"):
        manifests.read(["/nonexistent/x"])
