from __future__ import annotations

import pytest

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb import rollout_history as past
from orchestrator.cli.verb.rollout_history import Revision

REVISIONS = [Revision(1, "", {}), Revision(3, "", {}), Revision(4, "", {})]


def test_undo_goes_to_the_last_revision_but_one() -> None:
    assert past.before(REVISIONS, 0, "deployment.apps/web").number == 3


def test_a_revision_that_is_gone_is_said_with_those_that_are_kept() -> None:
    with pytest.raises(CommandError, match=r"deployment.apps/web has no revision 2; it has 1, 3, 4"):
        past.before(REVISIONS, 2, "deployment.apps/web")


def test_the_only_revision_has_none_before_it() -> None:
    with pytest.raises(CommandError, match="no revision before"):
        past.before(REVISIONS[:1], 0, "deployment.apps/web")


def test_the_hash_label_of_a_replica_set_is_not_part_of_the_template() -> None:
    template = {"metadata": {"labels": {"app": "web", past.HASH: "x"}}, "spec": {"containers": []}}
    entry = {"metadata": {"annotations": {past.REVISION: "7", past.CAUSE: "me"}}, "spec": {"template": template}}
    found = past.of_replica_set(entry)
    assert found == Revision(7, "me", {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}})


def test_what_is_empty_does_not_make_a_template_another() -> None:
    assert past.same(
        {"metadata": {"creationTimestamp": None, "labels": {"a": "b"}}}, {"metadata": {"labels": {"a": "b"}}}
    )
    assert not past.same({"spec": {"a": 0}}, {"spec": {}})
