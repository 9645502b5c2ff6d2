"""From a question to a reply, for names of the cluster (Kubernetes DNS-Based Service Discovery 1.1.0). Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from dnslib import AAAA, CNAME, PTR, QTYPE, RCODE, RR, SOA, SRV, TXT, A, DNSRecord

from orchestrator.dns.zone import Endpoint, Port, Service, Zone

TTL_SECONDS = 5
VERSION = "1.1.0"
MAX_UDP_BYTES = 512
"""What a client takes that does not say otherwise (RFC 1035)."""
EDNS_BYTES = 1232
"""What a reply over UDP has at most: it passes every link unfragmented."""

Records = list[RR]


class Unknown(Exception):
    """There is no such name."""


def answer(query: DNSRecord, zone: Zone, domain: str) -> DNSRecord | None:
    """The reply, or None when the name is not the cluster's and somebody upstream must be asked."""
    question = query.q
    name = str(question.qname).rstrip(".").lower()
    reply = query.reply(ra=1, aa=1)
    try:
        if name == domain or name.endswith(f".{domain}"):
            labels = name[: -len(domain)].rstrip(".").split(".") if name != domain else []
            records = _forward(labels, name, QTYPE[question.qtype], zone, domain)
        else:
            found = _reverse(name, zone, domain)
            if found is None:
                return None
            records = [record for record in found if question.qtype in (QTYPE.PTR, QTYPE.ANY)]
    except Unknown:
        reply.header.rcode = RCODE.NXDOMAIN
        records = []
    for record in records:
        reply.add_answer(record)
    if not records:
        reply.add_auth(_soa(domain))
    return reply


def fits(query: DNSRecord, reply: DNSRecord) -> bytes:
    """The reply's bytes for UDP, truncated to what the asker takes."""
    packed: bytes = reply.pack()
    if len(packed) <= limit(query):
        return packed
    short: bytes = reply.truncate().pack()
    return short


def limit(query: DNSRecord) -> int:
    for record in query.ar:
        if record.rtype == QTYPE.OPT:
            return max(MAX_UDP_BYTES, min(int(record.edns_len), EDNS_BYTES))
    return MAX_UDP_BYTES


def _forward(labels: list[str], name: str, kind: str, zone: Zone, domain: str) -> Records:
    """``labels`` are what stands before the domain."""
    if labels == ["dns-version"]:
        return [_record(name, TXT(VERSION))] if kind in ("TXT", "ANY") else []
    if not labels or labels in (["svc"], ["pod"]):
        return []
    kind_of_name, *below = reversed(labels)
    if not below or kind_of_name not in ("svc", "pod"):
        raise Unknown(name)
    namespace, *rest = below
    if kind_of_name == "pod":
        return _pod(rest, name, kind)
    if not rest:
        if zone.has_namespace(namespace):
            return []
        raise Unknown(name)
    service = zone.service(namespace, rest[0])
    if service is None:
        raise Unknown(name)
    return _service(service, rest[1:], name, kind, zone, domain)


def _pod(rest: list[str], name: str, kind: str) -> Records:
    if len(rest) != 1:
        raise Unknown(name)
    try:
        address = str(ipaddress.ip_address(rest[0].replace("-", ".")))
    except ValueError:
        raise Unknown(name) from None
    return _addresses(name, [address], kind)


def _service(service: Service, below: list[str], name: str, kind: str, zone: Zone, domain: str) -> Records:
    """``below`` is what stands before the Service's name, nearest first."""
    if service.external_name:
        if below:
            raise Unknown(name)
        return [_record(name, CNAME(service.external_name))]
    endpoints = [] if service.addresses else zone.endpoints(service)
    if not below:
        if kind == "SRV":
            return _all_srv(service, endpoints, name, domain)
        return _addresses(name, service.addresses or [endpoint.address for endpoint in endpoints], kind)
    if len(below) == 2 and below[0] in ("_tcp", "_udp", "_sctp"):
        return _named_srv(service, endpoints, below, name, kind, domain)
    if len(below) == 1:
        found = [endpoint.address for endpoint in endpoints if endpoint.label == below[0]]
        if found:
            return _addresses(name, found, kind)
    raise Unknown(name)


def _named_srv(
    service: Service, endpoints: list[Endpoint], below: list[str], name: str, kind: str, domain: str
) -> Records:
    protocol, port_name = below[0].lstrip("_").upper(), below[1].removeprefix("_")
    if not below[1].startswith("_"):
        raise Unknown(name)

    def chosen(port: Port) -> bool:
        return port.name == port_name and port.protocol == protocol

    records = _srv(service, endpoints, name, domain, chosen)
    if not records:
        raise Unknown(name)
    return records if kind in ("SRV", "ANY") else []


def _all_srv(service: Service, endpoints: list[Endpoint], name: str, domain: str) -> Records:
    return _srv(service, endpoints, name, domain, lambda port: True)


def _srv(
    service: Service, endpoints: list[Endpoint], name: str, domain: str, chosen: Callable[[Port], bool]
) -> Records:
    target = f"{service.name}.{service.namespace}.svc.{domain}"
    if service.addresses:
        return [_record(name, SRV(0, 100, port.number, target)) for port in service.ports if chosen(port)]
    return [
        _record(name, SRV(0, 100, port.number, f"{endpoint.label}.{target}"))
        for endpoint in endpoints
        for port in endpoint.ports
        if chosen(port)
    ]


def _reverse(name: str, zone: Zone, domain: str) -> Records | None:
    """PTR of a cluster address; None when it is none of ours."""
    if not name.endswith(".in-addr.arpa"):
        return None
    address = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
    services = zone.names_of(address)
    if not services:
        return None
    return [_record(name, PTR(f"{service.name}.{service.namespace}.svc.{domain}")) for service in services]


def _addresses(name: str, addresses: Iterable[str], kind: str) -> Records:
    records = []
    for address in addresses:
        six = ":" in address
        if kind in ("ANY", "AAAA" if six else "A"):
            records.append(_record(name, AAAA(address) if six else A(address)))
    return records


def _record(name: str, data: A | AAAA | CNAME | PTR | SRV | TXT) -> RR:
    return RR(name, getattr(QTYPE, type(data).__name__), rdata=data, ttl=TTL_SECONDS)


def _soa(domain: str) -> RR:
    times = (1, 7200, 1800, 86400, TTL_SECONDS)
    return RR(domain, QTYPE.SOA, rdata=SOA(f"ns.dns.{domain}", f"hostmaster.{domain}", times), ttl=TTL_SECONDS)
