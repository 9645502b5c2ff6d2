from __future__ import annotations

import random

import pytest

from orchestrator.apiserver.special.allocator import Allocator, Taken


def allocator(cidr: str = "10.0.0.0/24") -> Allocator:
    return Allocator(cidr, 30000, 30002, random.Random(1))


def test_an_address_is_given_once() -> None:
    made = allocator()
    assert made.take_address("a") != made.take_address("b")


def test_an_address_that_is_taken_is_refused_to_others() -> None:
    made = allocator()
    made.take_address("a", "10.0.0.9")
    with pytest.raises(Taken, match="provided IP is already allocated"):
        made.take_address("b", "10.0.0.9")


def test_an_address_comes_back_with_its_service() -> None:
    made = allocator()
    service = {"spec": {"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9"]}}
    made.listen("a", None, service)
    made.listen("a", service, None)
    assert made.take_address("b", "10.0.0.9") == "10.0.0.9"


def test_a_range_that_is_used_up_says_so() -> None:
    made = allocator()
    for name in "abc":
        made.take_port(name)
    with pytest.raises(Taken, match="range is full"):
        made.take_port("d")


def test_the_last_address_of_a_small_range_is_not_handed_out() -> None:
    made = allocator("10.0.0.0/29")
    given = {made.take_address(str(number)) for number in range(6)}
    assert "10.0.0.0" not in given
    assert "10.0.0.7" not in given
