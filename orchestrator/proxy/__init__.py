"""Services made reachable: each of their addresses and ports leads to a ready endpoint.

Owns the listeners (later: the kernel's rules) of one node or daemon. Called by ``cluster.py``. May import ``actors``,
``orchestrator.apimachinery``, ``orchestrator.api`` and ``orchestrator.client``.

In reading order: ``portals`` (pure: Services and EndpointSlices to what shall lead where), ``plan`` (pure: what to
change), ``balancer`` (pure: which endpoint is next), ``dataplane`` (the seam, and a simulated one), ``userspace`` with
``tcp`` and ``udp`` (forwarders), ``addresses`` (how ClusterIPs are reached), ``actor``. Next: ``orchestrator/dns``.
"""
