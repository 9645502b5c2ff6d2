from __future__ import annotations

import json

import pytest
import yaml

from orchestrator.cli.show import output
from orchestrator.cli.terminal import CommandError
from tests.cli.resources import DEPLOYMENTS, PODS

POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a", "managedFields": [{"manager": "x"}]}}


def test_one_object_stands_alone_and_several_in_a_list() -> None:
    alone = json.loads("\n".join(output.lines([(PODS, POD)], "json", single=True)))
    both = json.loads("\n".join(output.lines([(PODS, POD), (PODS, POD)], "json", single=False)))
    assert alone["metadata"] == {"name": "a"}
    assert (both["kind"], len(both["items"])) == ("List", 2)


def test_managed_fields_are_shown_on_demand() -> None:
    assert "managedFields" in "\n".join(output.lines([(PODS, POD)], "yaml", single=True, managed=True))


def test_yaml_reads_back_as_the_object_with_texts_that_look_like_other_things() -> None:
    obj = {"b": "2026-01-01", "a": "true", "n": "1", "text": "x\ny\n", "list": [{"k": None}], "e": ""}
    text = output.yaml_text(obj)
    assert yaml.safe_load(text) == obj
    assert text.index("a:") < text.index("b:")
    assert "text: |" in text


def test_names_bear_type_and_group() -> None:
    assert output.lines([(DEPLOYMENTS, POD)], "name", single=True) == ["deployment.apps/a"]


def test_custom_columns_show_none_for_what_is_not_there() -> None:
    shown = output.lines([(PODS, POD)], "custom-columns=N:.metadata.name,IP:.status.podIP", single=False)
    assert shown == ["N   IP", "a   <none>"]


@pytest.mark.parametrize("form", ["xml", "jsonpath", "jsonpath=", "custom-columns="])
def test_a_form_that_does_not_exist_is_refused_with_those_that_do(form: str) -> None:
    with pytest.raises(CommandError, match=r"there are yaml, json"):
        output.structured(form)
