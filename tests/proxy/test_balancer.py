from __future__ import annotations

from orchestrator.proxy import balancer
from orchestrator.proxy.balancer import Balancer
from orchestrator.proxy.rules import Backend, Frontend, Listen

A, B, C = (Backend(f"10.1.0.{number}", 80) for number in (1, 2, 3))


def frontend(*backends: Backend, affinity: int = 0) -> Frontend:
    return Frontend(Listen("TCP", "10.96.0.7", 80), "default/web", backends, affinity)


def test_connections_go_round() -> None:
    one = Balancer(frontend(A, B, C))
    assert [one.order("x", 0.0)[0] for _ in range(4)] == [A, B, C, A]


def test_every_endpoint_is_offered_so_that_a_refusing_one_is_passed_over() -> None:
    assert set(Balancer(frontend(A, B, C)).order("x", 0.0)) == {A, B, C}


def test_without_endpoints_there_is_nothing_to_offer() -> None:
    assert Balancer(frontend()).order("x", 0.0) == ()


def test_a_client_comes_back_to_its_endpoint_in_time_and_not_later() -> None:
    one = Balancer(frontend(A, B, affinity=10))
    one.connected("x", B, 0.0)
    assert one.order("x", 9.0)[0] == B
    assert one.order("x", 9.0)[0] == B
    one.order("y", 9.0)
    assert [one.order("x", 20.0)[0] for _ in range(2)] == [B, A]


def test_a_client_whose_endpoint_is_gone_gets_another() -> None:
    one = Balancer(frontend(A, B, affinity=10))
    one.connected("x", B, 0.0)
    one.update(frontend(A, affinity=10))
    assert one.order("x", 1.0) == (A,)


def test_the_client_longest_unseen_is_forgotten_first() -> None:
    one = Balancer(frontend(A, affinity=10))
    for number in range(balancer.MAX_SESSIONS + 5):
        one.connected(str(number), A, 0.0)
    assert len(one._sessions) == balancer.MAX_SESSIONS
    assert "0" not in one._sessions
