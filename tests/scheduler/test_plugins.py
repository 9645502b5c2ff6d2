"""Plugins of users: the example is installed as its pyproject says, configured by its YAML, and asked."""

from __future__ import annotations

import importlib.util
import random
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.scheduler.configuration import SchedulerConfiguration, default_configuration, read
from orchestrator.scheduler.cycle import Run
from orchestrator.scheduler.errors import ConfigurationError
from orchestrator.scheduler.framework import Filter, Profile, Score
from orchestrator.scheduler.node_facts import node_facts
from orchestrator.scheduler.offers import ENTRY_POINTS, Offers
from orchestrator.scheduler.profiles import profiles
from orchestrator.scheduler.shape import shape_of
from orchestrator.scheduler.snapshot import Snapshot

EXAMPLE = Path(__file__).parents[2] / "examples" / "scheduler"


def offers() -> Offers:
    """What ``importlib.metadata`` finds once the example is installed."""
    spec = importlib.util.spec_from_file_location("placement_plugins", EXAMPLE / "placement_plugins.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("placement_plugins", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    entries = project["entry-points"][ENTRY_POINTS]
    return {name: partial(getattr, module, value.partition(":")[2]) for name, value in entries.items()}


def example() -> SchedulerConfiguration:
    return read(yaml.safe_load((EXAMPLE / "scheduler.yaml").read_text()), offers())


def node(name: str, **labels: str) -> dict[str, Any]:
    status = {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}
    return {"metadata": {"name": name, "labels": labels}, "status": status}


def run(profile: Profile, nodes: list[dict[str, Any]], **labels: str) -> tuple[list[str], str]:
    snapshot = Snapshot()
    for each in nodes:
        snapshot.set_node(node_facts(each))
    spec = {"containers": [{"image": "x", "resources": {"requests": {"cpu": "1"}}}]}
    made = Run(snapshot, shape_of(spec, "default", labels, None), profile, random.Random(1))
    return [snapshot.names[column] for column in made.place(1)], made.diagnosis.message()


def test_an_installed_plugin_is_part_of_the_default_profile() -> None:
    (profile,) = profiles(default_configuration(offers()))
    assert profile.filters[-1].name == "Licenses"
    assert [(each.plugin.name, each.weight) for each in profile.scores][-1] == ("QuietNodes", 2)


def test_a_filter_of_a_user_keeps_pods_off_nodes_in_its_own_words() -> None:
    (profile,) = profiles(default_configuration(offers()))
    cad = {"example.com/license": "cad"}
    assert run(profile, [node("a"), node("b", **cad)], **cad)[0] == ["b"]
    placed, message = run(profile, [node("a"), node("b")], **cad)
    assert not placed
    assert message == "0/2 nodes are available: 2 node(s) had no cad license."


def test_a_score_of_a_user_gets_its_arguments_and_its_weight_from_the_profile() -> None:
    default, packing = profiles(example())
    quiet = next(each for each in default.scores if each.plugin.name == "QuietNodes")
    assert quiet.weight == 5
    nodes = [node("loud"), node("quiet", **{"example.com/decibel": "3"}), node("louder")]
    assert run(default, nodes)[0] == ["quiet"]
    assert "QuietNodes" not in [each.plugin.name for each in packing.scores]


def test_a_plugin_that_is_neither_filter_nor_score_is_refused() -> None:
    configuration = default_configuration({"Odd": lambda: dict})
    with pytest.raises(ConfigurationError, match="plugin Odd: expected a Filter or Score class"):
        profiles(configuration)


def test_a_plugin_must_bear_the_name_of_its_entry_point() -> None:
    configuration = default_configuration({"Other": offers()["Licenses"]})
    with pytest.raises(ConfigurationError, match="expected a class whose name is 'Other'"):
        profiles(configuration)


def test_a_score_is_not_taken_for_a_filter() -> None:
    document = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": [{"plugins": {"filter": {"enabled": [{"name": "QuietNodes"}]}}}],
    }
    with pytest.raises(ConfigurationError, match="expected a Filter, found QuietNodes"):
        profiles(read(document, offers()))


def test_the_interface_is_two_classes() -> None:
    assert Filter.__abstractmethods__ == {"blocks"}
    assert Score.__abstractmethods__ == {"score"}
