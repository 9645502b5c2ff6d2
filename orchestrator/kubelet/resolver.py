"""Which name servers a pod asks, by its ``dnsPolicy`` and ``dnsConfig``. Pure.

Source: kubernetes.io/docs/concepts/services-networking/dns-pod-service.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.kubelet.pod import DnsConfig, Pod

MAX_SERVERS = 3
MAX_SEARCHES = 32
"""What resolvers read at most of a resolv.conf."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """The lines of a resolv.conf. Without servers it is the node's own."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def resolver_of(pod: Pod, cluster_dns: tuple[str, ...], domain: str) -> Resolver:
    """``cluster_dns`` is empty where the cluster's DNS cannot be reached: then pods ask as the node does."""
    spec = pod.spec
    base = Resolver()
    cluster = spec.dns_policy == "ClusterFirstWithHostNet" or (
        spec.dns_policy == "ClusterFirst" and not spec.host_network
    )
    if cluster and cluster_dns:
        searches = (f"{pod.metadata.namespace}.svc.{domain}", f"svc.{domain}", domain)
        base = Resolver(cluster_dns, searches, ("ndots:5",))
    return _merged(base, spec.dns_config) if spec.dns_config else base


def _merged(base: Resolver, own: DnsConfig) -> Resolver:
    """The pod's own come last; an option of the same name takes the place of the policy's."""
    options = dict(_parted(each) for each in base.options)
    options |= {each.name: each.value for each in own.options or ()}
    return Resolver(
        _distinct((*base.servers, *(own.nameservers or ())))[:MAX_SERVERS],
        _distinct((*base.searches, *(own.searches or ())))[:MAX_SEARCHES],
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _parted(option: str) -> tuple[str, str]:
    name, _, value = option.partition(":")
    return name, value


def _distinct(items: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
