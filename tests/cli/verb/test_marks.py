from __future__ import annotations

import pytest

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.marks import refused, split


def test_names_come_first_then_what_is_set_and_removed() -> None:
    assert split(["pod", "web-1", "a=b", "c=", "d-"]) == (["pod", "web-1"], {"a": "b", "c": "", "d": None})


def test_a_word_that_changes_nothing_is_refused_after_the_first_change() -> None:
    with pytest.raises(CommandError, match="found 'x'"):
        split(["pod", "web-1", "a=b", "x"])


def test_only_another_value_is_refused() -> None:
    assert refused({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4", "d": None}) == ["b"]
