"""Discovery: addresses of Services, node ports, names in DNS, headless Services and session affinity.

Cluster addresses need root: the range is routed to this machine, and one daemon at a time has it.
"""

from __future__ import annotations

import os
import ssl
import urllib.request
from typing import Any

import dnslib
import pytest

from tests.e2e import workloads
from tests.e2e.space import Space, fetch

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.geteuid() != 0, reason="cluster addresses need root")]

DNS = "10.96.0.10"


def resolve(name: str) -> set[str]:
    """The addresses that the cluster's DNS gives for a name."""
    answer = dnslib.DNSRecord.parse(dnslib.DNSRecord.question(name).send(DNS, 53, timeout=2))
    return {str(record.rdata) for record in answer.rr if record.rtype == dnslib.QTYPE.A}


@pytest.fixture
def web(space: Space) -> Space:
    space.apply(workloads.web(space.runtime, "web", 2))
    space.rolled_out("web")
    return space


def serve(space: Space, name: str, **spec: Any) -> Any:
    """A Service of the two pods, once both are in it; its spec."""
    made = workloads.service(name, **{"selector": {"app": "web"}, **spec})
    space.apply(made)
    space.wait("both are in the Service", lambda: len(space.endpoints(name)) == 2)
    return space.json("get", "service", name)["spec"]


def answering(url: str, times: int = 8) -> set[str]:
    return {fetch(url) for _ in range(times)}


def test_the_cluster_address_and_the_node_port_reach_all_pods(web: Space) -> None:
    spec = serve(web, "web", type="NodePort")
    for url in (f"http://{spec['clusterIP']}/", f"http://127.0.0.1:{spec['ports'][0]['nodePort']}/"):
        assert web.wait(url, lambda url=url: len(answering(url)) == 2, 10)


def test_session_affinity_stays_with_one_pod(web: Space) -> None:
    spec = serve(web, "web", sessionAffinity="ClientIP")
    url = f"http://{spec['clusterIP']}/"
    web.wait("it answers", lambda: fetch(url), 10)
    assert len(answering(url)) == 1


def test_names_resolve_to_the_service_and_headless_ones_to_the_pods(web: Space) -> None:
    spec = serve(web, "web")
    serve(web, "bare", clusterIP="None")
    domain = f"{web.namespace}.svc.cluster.local"
    assert web.wait("the name", lambda: resolve(f"web.{domain}"), 10) == {spec["clusterIP"]}
    addresses = {pod["status"]["podIP"] for pod in web.pods("web")}
    assert web.wait("the headless name", lambda: resolve(f"bare.{domain}"), 10) == addresses


def test_a_container_reaches_a_service_by_its_name(web: Space) -> None:
    """With nslookup and nc: the static busybox's wget crashes in its C library's resolver."""
    serve(web, "web")
    web.apply(workloads.pod("client", workloads.shell(web.runtime, "while true; do sleep 0.2; done")))
    web.ready("client")
    address = web.json("get", "service", "web")["spec"]["clusterIP"]
    name = f"web.{web.namespace}.svc.cluster.local"
    busybox = "" if web.runtime == "docker" else "busybox "
    assert address in web.wait(name, lambda: web.exec("client", f"{busybox}nslookup {name}"), 20)
    asked = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | {busybox}nc {address} 80"
    assert "web-" in web.wait(address, lambda: web.exec("client", asked), 20)


def test_the_api_is_a_service_like_any_other(web: Space) -> None:
    """What a program inside of a pod uses: the ClusterIP of ``default/kubernetes``."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def version() -> str:
        with urllib.request.urlopen("https://10.96.0.1/version", context=context, timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    assert '"minor": "37"' in web.wait("the API at its ClusterIP", version, 20)
