"""Which name servers a pod asks."""

from __future__ import annotations

from typing import Any

from orchestrator.kubelet.resolver import Resolver, resolver_of
from tests.kubelet.pods import pod

CLUSTER = ("10.96.0.10",)
OF_THE_CLUSTER = Resolver(CLUSTER, ("default.svc.cluster.local", "svc.cluster.local", "cluster.local"), ("ndots:5",))


def asked(**spec: Any) -> Resolver:
    return resolver_of(pod(**spec), CLUSTER, "cluster.local")


def test_a_pod_asks_the_cluster_unless_it_says_otherwise() -> None:
    assert asked() == OF_THE_CLUSTER
    assert asked(dnsPolicy="ClusterFirst") == OF_THE_CLUSTER
    assert asked(dnsPolicy="Default") == Resolver()


def test_a_pod_on_the_nodes_network_asks_as_the_node_does() -> None:
    assert asked(hostNetwork=True) == Resolver()
    assert asked(hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet") == OF_THE_CLUSTER


def test_a_cluster_without_reachable_dns_leaves_the_nodes_own() -> None:
    assert resolver_of(pod(), (), "cluster.local") == Resolver()


def test_a_config_of_its_own_is_all_there_is_with_policy_none() -> None:
    config = {
        "nameservers": ["192.0.2.1"],
        "searches": ["a.b"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
    }
    assert asked(dnsPolicy="None", dnsConfig=config) == Resolver(("192.0.2.1",), ("a.b",), ("ndots:2", "edns0"))


def test_a_config_adds_to_the_policy_and_overrules_its_options() -> None:
    config = {"nameservers": ["192.0.2.1", "10.96.0.10"], "options": [{"name": "ndots", "value": "2"}]}
    made = asked(dnsConfig=config)
    assert made.servers == ("10.96.0.10", "192.0.2.1")
    assert made.options == ("ndots:2",)
    assert made.searches == OF_THE_CLUSTER.searches


def test_no_more_servers_than_a_resolver_reads() -> None:
    config = {"nameservers": [f"192.0.2.{last}" for last in range(1, 6)]}
    assert len(asked(dnsConfig=config).servers) == 3
