from __future__ import annotations

from orchestrator.cli.remote.connection import ApiError
from orchestrator.cli.verb.apply import explained, outcome


def test_the_word_says_what_became_of_the_object() -> None:
    assert outcome(201, None, "1", dry=False) == "created"
    assert outcome(200, "1", "1", dry=False) == "unchanged"
    assert outcome(200, "1", "2", dry=False) == "configured"
    assert outcome(200, "1", "1", dry=True) == "configured (server dry run)"


def test_a_conflict_says_how_to_go_on() -> None:
    error = ApiError({"code": 409, "reason": "Conflict", "message": 'Apply failed with 1 conflict: conflict with "x"'})
    assert explained(error).endswith("; --force-conflicts takes the fields over")
