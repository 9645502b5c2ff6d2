from __future__ import annotations

from typing import Any

from orchestrator.cli.show import rows
from orchestrator.cli.show.rows import Layout

DEFINITIONS: list[dict[str, Any]] = [{"name": "Name", "priority": 0}, {"name": "Ready"}, {"name": "IP", "priority": 1}]
ROW = {
    "cells": ["web", "1/1", "10.0.0.1"],
    "object": {"metadata": {"name": "web", "namespace": "shop", "labels": {"app.io/tier": "front", "a": "b"}}},
}


def test_columns_of_a_lower_priority_are_shown_only_when_wide() -> None:
    assert rows.cells(ROW, DEFINITIONS, Layout()) == ["web", "1/1"]
    assert rows.cells(ROW, DEFINITIONS, Layout(wide=True)) == ["web", "1/1", "10.0.0.1"]
    assert rows.header(DEFINITIONS, Layout()) == ["NAME", "READY"]


def test_namespaces_stand_first_and_labels_last() -> None:
    layout = Layout(namespaces=True, labels=True, label_columns=("app.io/tier", "none"))
    assert rows.header(DEFINITIONS, layout) == ["NAMESPACE", "NAME", "READY", "TIER", "NONE", "LABELS"]
    assert rows.cells(ROW, DEFINITIONS, layout) == ["shop", "web", "1/1", "front", "", "a=b,app.io/tier=front"]


def test_a_name_bears_its_type_among_several() -> None:
    assert rows.cells(ROW, DEFINITIONS, Layout(prefix="pod/"))[0] == "pod/web"


def test_a_list_of_a_server_without_tables_shows_names_and_ages() -> None:
    listing = {"items": [{"metadata": {"name": "a", "creationTimestamp": "1970-01-01T00:00:10Z"}}]}
    assert rows.as_table(listing, now=70.0)["rows"][0]["cells"] == ["a", "60s"]


def test_an_absent_cell_is_none_in_brackets() -> None:
    assert [rows.text(value) for value in (None, True, 3, "a\nb", ["x", 1])] == [
        "<none>",
        "true",
        "3",
        "a\\nb",
        "[x 1]",
    ]
