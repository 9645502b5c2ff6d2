from __future__ import annotations

from typing import Any

from orchestrator.proxy.rules import Backend, Endpoint, Frontend, Listen, chosen, endpoints_of, frontends

WEB = {
    "type": "NodePort",
    "clusterIP": "10.96.0.7",
    "clusterIPs": ["10.96.0.7"],
    "ports": [{"name": "http", "protocol": "TCP", "port": 80, "nodePort": 30080}],
}


def endpoint(address: str, **given: Any) -> Endpoint:
    return Endpoint(
        address,
        {"http": 8080},
        *(given.get(name, name != "terminating") for name in ("ready", "serving", "terminating")),
    )


def test_a_node_port_listens_on_the_cluster_address_and_on_the_node() -> None:
    made = frontends("default/web", WEB, [endpoint("10.1.0.1")], ["127.0.0.1"])
    backends = (Backend("10.1.0.1", 8080),)
    assert made == [
        Frontend(Listen("TCP", "10.96.0.7", 80), "default/web", backends),
        Frontend(Listen("TCP", "127.0.0.1", 30080), "default/web", backends),
    ]


def test_headless_and_external_services_listen_nowhere() -> None:
    assert frontends("default/a", {"clusterIP": "None", "ports": [{"port": 80}]}, [], ["127.0.0.1"]) == []
    assert frontends("default/b", {"type": "ExternalName", "externalName": "e"}, [], ["127.0.0.1"]) == []


def test_session_affinity_has_kubernetes_default_of_three_hours() -> None:
    spec = {**WEB, "sessionAffinity": "ClientIP"}
    assert {one.affinity_seconds for one in frontends("default/web", spec, [], [])} == {10800}


def test_an_endpoint_that_is_not_ready_gets_no_connections() -> None:
    ready = endpoint("10.1.0.1")
    assert chosen([ready, endpoint("10.1.0.2", ready=False, serving=False)], publish_not_ready=False) == [ready]


def test_when_no_endpoint_is_ready_those_that_still_serve_while_they_end_are_used() -> None:
    ending = endpoint("10.1.0.1", ready=False, terminating=True)
    assert chosen([ending], publish_not_ready=False) == [ending]
    assert chosen([ending, endpoint("10.1.0.2")], publish_not_ready=False) == [endpoint("10.1.0.2")]


def test_endpoints_of_two_slices_are_one_list_with_all_their_ports() -> None:
    first = {
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": True}}],
    }
    second = {
        "ports": [{"name": "dns", "port": 53}],
        "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": True}}],
    }
    assert endpoints_of([first, second]) == [Endpoint("10.1.0.1", {"http": 8080, "dns": 53}, True, True, False)]


def test_a_port_that_an_endpoint_does_not_have_is_not_led_to_it() -> None:
    made = frontends("default/web", WEB, [Endpoint("10.1.0.1", {"other": 1}, True, True, False)], [])
    assert made[0].backends == ()
