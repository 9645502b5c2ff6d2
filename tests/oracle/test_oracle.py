"""Podium answers what a real kube-apiserver answered: code, reason, causes, objects, tables, events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.cases import HERE, Case
from tests.oracle.groups import GROUPS
from tests.oracle.podium import answers

pytestmark = [pytest.mark.slow, pytest.mark.real_loop]

KNOWN = {line for line in (HERE / "known.txt").read_text().splitlines() if line and not line.startswith("#")}
"""Cases that still differ, each a debt: one that agrees again fails until its line is taken out."""


def recorded(group: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "facts" / f"{group}.json").read_text())
    return found


def expected(answer: dict[str, Any]) -> dict[str, Any]:
    """The recorded answer; where Kubernetes answers bad input with 500 Podium says 400 in the same words."""
    if answer["code"] == 500:
        return {**answer, "code": 400, "body": {**answer["body"], "code": 400, "reason": "BadRequest"}}
    return answer


def cases() -> Iterator[tuple[str, Case]]:
    for group, make in GROUPS.items():
        for case in make():
            yield group, case


@pytest.fixture(scope="module")
def podium(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    directory: Path = tmp_path_factory.mktemp("oracle")
    return answers(directory)


@pytest.mark.parametrize(("group", "case"), [pytest.param(g, c, id=f"{g}: {c.name}") for g, c in cases()])
def test_podium_answers_as_kubernetes(group: str, case: Case, podium: dict[str, dict[str, Any]]) -> None:
    agrees = podium[group][case.name] == expected(recorded(group)[case.name])
    if f"{group}: {case.name}" in KNOWN:
        assert not agrees, "this case agrees now: take its line out of known.txt"
        pytest.xfail("known to differ")
    assert podium[group][case.name] == expected(recorded(group)[case.name])
