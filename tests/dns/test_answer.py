from __future__ import annotations

import pytest
from dnslib import QTYPE, RCODE, DNSRecord

from orchestrator.dns.answer import answer, fits
from orchestrator.dns.zone import Endpoint, Port, Zone, endpoints_of, service_of

DOMAIN = "cluster.local"


@pytest.fixture
def zone() -> Zone:
    zone = Zone()
    http = {"name": "http", "protocol": "TCP", "port": 80}
    zone.put_service(
        service_of("default", "web", {"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], "ports": [http]})
    )
    zone.put_service(service_of("default", "db", {"clusterIP": "None", "ports": [{"name": "sql", "port": 5432}]}))
    zone.put_service(service_of("default", "out", {"type": "ExternalName", "externalName": "example.com"}))
    sql = (Port("sql", "TCP", 5432),)
    endpoints = (
        Endpoint("10.1.0.1", "db-0", True, sql),
        Endpoint("10.1.0.2", "db-1", False, sql),
        Endpoint("10.1.0.3", "", True, sql),
    )
    zone.put_slice("default/db-x", ("default", "db"), endpoints)
    return zone


def ask(zone: Zone, name: str, kind: str = "A") -> tuple[str, list[str]] | None:
    reply = answer(DNSRecord.question(name, kind), zone, DOMAIN)
    return None if reply is None else (RCODE[reply.header.rcode], [str(record.rdata) for record in reply.rr])


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("web.default.svc.cluster.local", "A", ["10.96.0.7"]),
        ("WEB.default.SVC.cluster.local.", "A", ["10.96.0.7"]),
        ("web.default.svc.cluster.local", "AAAA", []),
        ("db.default.svc.cluster.local", "A", ["10.1.0.1", "10.1.0.3"]),
        ("db-0.db.default.svc.cluster.local", "A", ["10.1.0.1"]),
        ("10-1-0-3.db.default.svc.cluster.local", "A", ["10.1.0.3"]),
        ("_http._tcp.web.default.svc.cluster.local", "SRV", ["0 100 80 web.default.svc.cluster.local."]),
        ("_sql._tcp.db.default.svc.cluster.local", "SRV", [
            "0 100 5432 db-0.db.default.svc.cluster.local.", "0 100 5432 10-1-0-3.db.default.svc.cluster.local."]),
        ("out.default.svc.cluster.local", "A", ["example.com."]),
        ("1-2-3-4.default.pod.cluster.local", "A", ["1.2.3.4"]),
        ("7.0.96.10.in-addr.arpa", "PTR", ["web.default.svc.cluster.local."]),
        ("dns-version.cluster.local", "TXT", ['"1.1.0"']),
        ("default.svc.cluster.local", "A", []),
        ("svc.cluster.local", "A", []),
    ],
)  # fmt: skip
def test_a_name_of_the_cluster_has_its_records(zone: Zone, name: str, kind: str, expected: list[str]) -> None:
    assert ask(zone, name, kind) == ("NOERROR", expected)


@pytest.mark.parametrize(
    "name",
    [
        "none.default.svc.cluster.local",
        "web.none.svc.cluster.local",
        "none.svc.cluster.local",
        "x.web.default.svc.cluster.local",
        "db-1.db.default.svc.cluster.local",
        "_ftp._tcp.web.default.svc.cluster.local",
        "nonsense.default.pod.cluster.local",
        "web.cluster.local",
    ],
)
def test_a_name_that_is_not_there_does_not_exist(zone: Zone, name: str) -> None:
    assert ask(zone, name) == ("NXDOMAIN", [])


def test_no_answer_carries_the_zone_s_authority(zone: Zone) -> None:
    reply = answer(DNSRecord.question("none.default.svc.cluster.local"), zone, DOMAIN)
    assert reply is not None
    assert [record.rtype for record in reply.auth] == [QTYPE.SOA]


@pytest.mark.parametrize("name", ["example.com", "notcluster.local", "1.0.168.192.in-addr.arpa"])
def test_names_of_others_are_asked_upstream(zone: Zone, name: str) -> None:
    assert ask(zone, name) is None


def test_a_dropped_service_takes_its_names_along(zone: Zone) -> None:
    for name in ("web", "db", "out"):
        zone.drop_service("default", name)
    assert ask(zone, "default.svc.cluster.local") == ("NXDOMAIN", [])
    assert ask(zone, "7.0.96.10.in-addr.arpa", "PTR") is None


def test_addresses_that_are_not_ready_are_published_where_the_service_says_so(zone: Zone) -> None:
    zone.put_service(service_of("default", "db", {"clusterIP": "None", "publishNotReadyAddresses": True}))
    assert ask(zone, "db-1.db.default.svc.cluster.local") == ("NOERROR", ["10.1.0.2"])


def test_endpoints_without_conditions_are_ready() -> None:
    made = endpoints_of({"ports": [{"port": 1}], "endpoints": [{"addresses": ["10.0.0.1"]}]})
    assert made == (Endpoint("10.0.0.1", "", True, (Port("", "TCP", 1),)),)


def test_a_reply_too_large_for_udp_is_truncated(zone: Zone) -> None:
    endpoints = tuple(Endpoint(f"10.2.{number // 250}.{number % 250 + 1}", "", True, ()) for number in range(60))
    zone.put_slice("default/many", ("default", "db"), endpoints)
    query = DNSRecord.question("db.default.svc.cluster.local")
    reply = answer(query, zone, DOMAIN)
    assert reply is not None
    short = DNSRecord.parse(fits(query, reply))
    assert short.header.tc == 1
    assert len(reply.rr) > 60
