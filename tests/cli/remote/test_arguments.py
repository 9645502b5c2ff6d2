from __future__ import annotations

import pytest

from orchestrator.cli.remote.arguments import Selection, objects, one, select
from orchestrator.cli.terminal import CommandError
from tests.cli.resources import DEPLOYMENTS, NODES, PODS, SERVICES, session


def test_a_type_alone_is_all_of_it_and_words_after_it_are_names() -> None:
    assert select(session(), ["po"]) == [Selection(PODS)]
    assert select(session(), ["pod", "a", "b"]) == [Selection(PODS, ("a", "b"))]


def test_several_types_and_categories_are_selections_in_order() -> None:
    assert select(session(), ["no,po"]) == [Selection(NODES), Selection(PODS)]
    assert [found.resource for found in select(session(), ["all"])] == [PODS, SERVICES, DEPLOYMENTS]


def test_pairs_of_one_type_in_a_row_are_one_selection() -> None:
    found = select(session(), ["pod/a", "po/b", "deploy/web", "pod/c"])
    assert found == [Selection(PODS, ("a", "b")), Selection(DEPLOYMENTS, ("web",)), Selection(PODS, ("c",))]


@pytest.mark.parametrize("words", [[], ["pod/a", "b"], ["pod/"], ["po,no", "a"]])
def test_words_that_name_nothing_or_mix_the_forms_are_refused(words: list[str]) -> None:
    with pytest.raises(CommandError):
        select(session(), words)


def test_one_object_may_leave_out_the_usual_type() -> None:
    assert one(session(), ["web"], default="pods") == (PODS, "web")
    assert one(session(), ["deploy/web"], default="pods") == (DEPLOYMENTS, "web")


def test_more_than_one_object_is_refused_where_one_is_expected() -> None:
    with pytest.raises(CommandError, match="expected one object"):
        one(session(), ["pod", "a", "b"])


def test_a_type_alone_is_no_choice_of_objects() -> None:
    with pytest.raises(CommandError, match="--all"):
        objects(session(), ["pods"])


def test_all_objects_come_with_their_own_namespace() -> None:
    listing = {"items": [{"metadata": {"name": "a", "namespace": "default"}}], "metadata": {}}
    found = objects(session({"/api/v1/namespaces/default/pods": listing}), ["pods"], everything=True)
    assert found == [(PODS, "default", "a")]
