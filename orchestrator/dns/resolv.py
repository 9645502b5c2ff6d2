"""What a container's resolver is told, and where the machine itself asks. Pure."""

from __future__ import annotations

NDOTS = "ndots:5"


def resolv_conf(server: str, namespace: str, domain: str) -> str:
    """The ``resolv.conf`` of a pod with dnsPolicy ClusterFirst."""
    return f"search {namespace}.svc.{domain} svc.{domain} {domain}\nnameserver {server}\noptions {NDOTS}\n"


def nameservers(text: str) -> list[str]:
    """The servers that a ``resolv.conf`` names, in order."""
    words = (line.split() for line in text.splitlines())
    return [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
