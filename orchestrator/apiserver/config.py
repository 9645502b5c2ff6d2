"""What an API server is told at its start, in one frozen record."""

from __future__ import annotations

from dataclasses import dataclass

GIT_VERSION = "v1.37.2+podium"
"""The Kubernetes release whose API is served; clients compare major and minor with their own."""

ADMISSION_ORDER = (
    "NamespaceLifecycle",
    "LimitRanger",
    "ServiceAccount",
    "TaintNodesByCondition",
    "Priority",
    "DefaultTolerationSeconds",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "ResourceQuota",
)
"""The plugins in the order Kubernetes runs them; quota is last because it counts what the others made."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Facts about the cluster that requests are answered with."""

    service_cidr: str = "10.96.0.0/16"
    node_port_first: int = 30000
    node_port_last: int = 32767
    cluster_domain: str = "cluster.local"
    issuer: str = "https://kubernetes.default.svc.cluster.local"
    audiences: tuple[str, ...] = ("https://kubernetes.default.svc.cluster.local",)
    git_version: str = GIT_VERSION
    git_commit: str = "0000000000000000000000000000000000000000"
    build_date: str = "2026-01-01T00:00:00Z"
    anonymous: bool = True
    admission: tuple[str, ...] = ADMISSION_ORDER
    advertise_address: str = "127.0.0.1"
    advertise_port: int = 6443
    several: bool = False
    """Whether other API servers may serve the same store."""
    event_ttl_seconds: float = 3600.0
    authorize: bool = True

    @property
    def major(self) -> str:
        return self.git_version.lstrip("v").split(".")[0]

    @property
    def minor(self) -> str:
        return self.git_version.lstrip("v").split(".")[1]
