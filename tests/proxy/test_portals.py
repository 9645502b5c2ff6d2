from __future__ import annotations

from typing import Any

from orchestrator.proxy.plan import plan
from orchestrator.proxy.portals import Endpoint, Front, Place, Portal, portals

Object = dict[str, Any]
METADATA = {"namespace": "default", "name": "web"}
CLUSTER = Front("TCP", "127.96.0.9", 80)
NODE = Front("TCP", "127.0.0.1", 30080)


def service(**spec: Any) -> Object:
    port = {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP"}
    return {"metadata": METADATA, "spec": {"type": "NodePort", "clusterIP": "127.96.0.9", "ports": [port], **spec}}


def endpoint(address: str, node: str = "n1", **conditions: bool) -> Object:
    return {"addresses": [address], "nodeName": node, "conditions": conditions or {"ready": True}}


def slice_of(*endpoints: Object, port: str = "http") -> Object:
    return {"ports": [{"name": port, "port": 8080}], "endpoints": list(endpoints)}


def test_cluster_address_and_node_port_lead_to_the_ready_endpoints() -> None:
    slices = [slice_of(endpoint("10.0.0.2")), slice_of(endpoint("10.0.0.1"), endpoint("10.0.0.3", ready=False))]
    made = portals(service(), slices, Place())
    behind = (Endpoint("10.0.0.1", 8080), Endpoint("10.0.0.2", 8080))
    assert made == {front: Portal(front, "default/web", behind) for front in (CLUSTER, NODE)}


def test_an_endpoint_that_terminates_serves_only_when_no_other_is_ready() -> None:
    leaving = endpoint("10.0.0.1", ready=False, serving=True, terminating=True)
    assert portals(service(), [slice_of(leaving)], Place())[CLUSTER].endpoints == (Endpoint("10.0.0.1", 8080),)
    both = portals(service(), [slice_of(leaving, endpoint("10.0.0.2"))], Place())
    assert both[CLUSTER].endpoints == (Endpoint("10.0.0.2", 8080),)


def test_ports_are_matched_by_name() -> None:
    assert portals(service(), [slice_of(endpoint("10.0.0.1"), port="other")], Place())[CLUSTER].endpoints == ()


def test_headless_and_external_services_have_no_portals() -> None:
    assert portals(service(clusterIP="None"), [], Place()) == {}
    assert portals(service(type="ExternalName", externalName="example.com"), [], Place()) == {}


def test_a_local_policy_keeps_node_ports_to_the_proxys_own_node() -> None:
    slices = [slice_of(endpoint("10.0.0.1", "n1"), endpoint("10.0.0.2", "n2"))]
    made = portals(service(externalTrafficPolicy="Local"), slices, Place(node="n2"))
    assert made[NODE].endpoints == (Endpoint("10.0.0.2", 8080),)
    assert len(made[CLUSTER].endpoints) == 2


def test_client_affinity_lasts_three_hours_unless_said_otherwise() -> None:
    assert portals(service(sessionAffinity="ClientIP"), [], Place())[CLUSTER].affinity_seconds == 10_800
    config = {"clientIP": {"timeoutSeconds": 7}}
    made = portals(service(sessionAffinity="ClientIP", sessionAffinityConfig=config), [], Place())
    assert made[CLUSTER].affinity_seconds == 7


def test_a_plan_closes_opens_and_updates_what_differs() -> None:
    old = {CLUSTER: Portal(CLUSTER, "default/web", ()), NODE: Portal(NODE, "default/web", ())}
    gone, new = Front("UDP", "127.96.0.9", 53), Front("TCP", "127.96.0.10", 80)
    observed = {**old, gone: Portal(gone, "default/dns", ())}
    changed = Portal(NODE, "default/web", (Endpoint("10.0.0.1", 8080),))
    desired = {**old, NODE: changed, new: Portal(new, "default/api", ())}
    made = plan(desired, observed)
    assert (made.close, made.open, made.update) == ((gone,), (desired[new],), (changed,))
    assert not plan(desired, desired)
