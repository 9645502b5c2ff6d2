from __future__ import annotations

from orchestrator.cli.show.sorting import key


def test_quantities_sort_by_amount_and_what_has_none_comes_first() -> None:
    objects = [{"m": "1Gi"}, {"m": "500Mi"}, {}, {"m": "2G"}]
    assert sorted(objects, key=lambda obj: key(".m", obj)) == [{}, {"m": "500Mi"}, {"m": "1Gi"}, {"m": "2G"}]


def test_texts_sort_by_the_alphabet() -> None:
    assert sorted([{"n": "b"}, {"n": "a"}], key=lambda obj: key("{.n}", obj)) == [{"n": "a"}, {"n": "b"}]
