from __future__ import annotations

import random

from orchestrator.proxy.balancer import MAX_CLIENTS, Balancer
from orchestrator.proxy.portals import Endpoint, Front, Portal

FRONT = Front("TCP", "127.0.0.1", 80)
BEHIND = tuple(Endpoint(f"10.0.0.{number}", 80) for number in range(3))


def balancer(affinity_seconds: int = 0, behind: tuple[Endpoint, ...] = BEHIND) -> Balancer:
    return Balancer(Portal(FRONT, "default/web", behind, affinity_seconds), random.Random(1))


def test_connections_go_round() -> None:
    one = balancer()
    chosen = [one.pick("c", 0.0) for _ in range(6)]
    assert set(chosen[:3]) == set(BEHIND)
    assert chosen[3:] == chosen[:3]


def test_an_endpoint_that_was_tried_is_not_given_again() -> None:
    one = balancer()
    assert one.pick("c", 0.0, set(BEHIND[:2])) == BEHIND[2]
    assert one.pick("c", 0.0, set(BEHIND)) is None


def test_a_client_comes_back_to_its_endpoint_until_the_time_is_up() -> None:
    one = balancer(10)
    first = one.pick("c", 0.0)
    assert {one.pick("c", float(now)) for now in range(1, 19, 2)} == {first}
    assert one.pick("c", 27.1) != first


def test_affinity_ends_when_the_endpoint_leaves() -> None:
    one = balancer(10)
    first = one.pick("c", 0.0)
    one.portal = Portal(FRONT, "default/web", tuple(each for each in BEHIND if each != first), 10)
    assert one.pick("c", 1.0) not in (first, None)


def test_the_least_recent_client_is_forgotten_when_there_are_too_many() -> None:
    one = balancer(1000)
    chosen = one.pick("first", 0.0)
    for number in range(MAX_CLIENTS - 1):
        one.pick(f"c{number}", 0.0)
    assert one.pick("first", 1.0) == chosen
    for number in range(MAX_CLIENTS + 1):
        one.pick(f"d{number}", 0.0)
    turn = one.pick("next", 1.0)
    assert turn is not None
    following = BEHIND[(BEHIND.index(turn) + 1) % len(BEHIND)]
    assert one.pick("first", 2.0) == following, "it is a new client, whose turn comes after the last one"
