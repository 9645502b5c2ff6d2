from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from orchestrator.cli.remote import discovery
from orchestrator.cli.remote.connection import Connection
from orchestrator.cli.remote.discovery import Discovery, by_word
from orchestrator.cli.terminal import CommandError
from tests.cli.resources import DEPLOYMENTS, METRIC_PODS, OLD_DEPLOYMENTS, PODS, SERVED, Answers

DEPLOYMENT = {
    "resource": "deployments",
    "singularResource": "deployment",
    "scope": "Namespaced",
    "shortNames": ["deploy"],
    "verbs": ["get"],
    "responseKind": {"group": "apps", "version": "v1", "kind": "Deployment"},
    "subresources": [{"subresource": "scale"}],
}
AGGREGATED: dict[str, Any] = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": "apps"},
            "versions": [
                {"version": "v1", "resources": [DEPLOYMENT]},
                {"version": "v1beta1", "resources": [DEPLOYMENT]},
            ],
        }
    ],
}
LEGACY: dict[str, dict[str, Any]] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {
        "resources": [
            {"name": "pods", "singularName": "pod", "kind": "Pod", "namespaced": True, "shortNames": ["po"]},
            {"name": "pods/log", "kind": "Pod"},
        ]
    },
    "/apis": {
        "groups": [
            {"name": "down.io", "versions": [{"version": "v1"}]},
            {"name": "x.io", "versions": [{"version": "v1"}, {"version": "v2"}], "preferredVersion": {"version": "v2"}},
        ]
    },
    "/apis/x.io/v1": {"resources": [{"name": "things", "kind": "Thing", "namespaced": False}]},
    "/apis/x.io/v2": {"resources": [{"name": "things", "kind": "Thing", "namespaced": False}]},
}


@pytest.mark.parametrize(
    "word", ["deployments", "deployment", "deploy", "Deployment", "deployments.apps", "deploy.v1.apps"]
)
def test_a_resource_has_many_names(word: str) -> None:
    assert by_word(SERVED, word) == DEPLOYMENTS


def test_a_version_that_is_not_preferred_must_be_said() -> None:
    assert by_word(SERVED, "deployments.v1beta1.apps") == OLD_DEPLOYMENTS


def test_the_first_group_has_a_name_unless_another_is_said() -> None:
    assert by_word(SERVED, "pods") == PODS
    assert by_word(SERVED, "pods.metrics.k8s.io") == METRIC_PODS
    assert by_word(SERVED, "pods.metrics") == METRIC_PODS


def test_the_first_version_of_aggregated_discovery_is_preferred() -> None:
    first, second = discovery.parse_aggregated(AGGREGATED)
    assert (first.version, first.preferred, first.subresources) == ("v1", True, ("scale",))
    assert (second.version, second.preferred) == ("v1beta1", False)


def test_the_older_documents_say_the_same_and_a_group_that_is_down_is_left_out() -> None:
    found = discovery.fetch(cast(Connection, Answers(LEGACY)))
    assert [(entry.plural_name, entry.version, entry.preferred) for entry in found] == [
        ("pods", "v1", True),
        ("things.x.io", "v2", True),
        ("things.x.io", "v1", False),
    ]
    assert found[0].subresources == ("log",)


def test_what_was_discovered_is_believed_by_the_next_run(tmp_path: Path) -> None:
    first, second = Answers(LEGACY), Answers(LEGACY)
    Discovery(cast(Connection, first), tmp_path, now=0.0).find("po")
    assert Discovery(cast(Connection, second), tmp_path, now=1.0).find("po").kind == "Pod"
    assert second.asked == []


def test_a_name_that_is_not_known_is_asked_for_again(tmp_path: Path) -> None:
    Discovery(cast(Connection, Answers(LEGACY)), tmp_path, now=0.0).find("po")
    more = {**LEGACY, "/apis/down.io/v1": {"resources": [{"name": "gadgets", "kind": "Gadget", "namespaced": True}]}}
    assert Discovery(cast(Connection, Answers(more)), tmp_path, now=0.0).find("gadgets").group == "down.io"


def test_a_name_that_nobody_serves_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no resource type 'nothing'"):
        Discovery(cast(Connection, Answers(LEGACY)), tmp_path, now=0.0).find("nothing")


def test_a_spoiled_file_is_no_error(tmp_path: Path) -> None:
    Discovery(cast(Connection, Answers(LEGACY)), tmp_path, now=0.0).find("po")
    next(tmp_path.iterdir()).write_text("no json")
    assert Discovery(cast(Connection, Answers(LEGACY)), tmp_path, now=0.0).find("po").kind == "Pod"
