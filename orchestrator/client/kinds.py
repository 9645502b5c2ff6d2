"""Which resource a request is about: one value per kind, shared by everybody who asks for it."""

from __future__ import annotations

import msgspec

from orchestrator.client.protocol import Target


class Kind(msgspec.Struct, frozen=True):
    """A served resource. ``kind`` is empty where only the resource's name is known (before discovery)."""

    group: str
    version: str
    resource: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def label(self) -> str:
        """``pods`` or ``deployments.apps``: unique within a cluster."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def prefix(self) -> str:
        """Where the store keeps it: ``core/pods/``."""
        return f"{self.group or 'core'}/{self.resource}/"

    def target(self, namespace: str = "", name: str = "", subresource: str = "") -> Target:
        return Target(self.group, self.version, self.resource, namespace if self.namespaced else "", name, subresource)


PODS = Kind("", "v1", "pods", "Pod")
SERVICES = Kind("", "v1", "services", "Service")
ENDPOINTS = Kind("", "v1", "endpoints", "Endpoints")
EVENTS = Kind("", "v1", "events", "Event")
CONFIGMAPS = Kind("", "v1", "configmaps", "ConfigMap")
SECRETS = Kind("", "v1", "secrets", "Secret")
SERVICEACCOUNTS = Kind("", "v1", "serviceaccounts", "ServiceAccount")
REPLICATIONCONTROLLERS = Kind("", "v1", "replicationcontrollers", "ReplicationController")
RESOURCEQUOTAS = Kind("", "v1", "resourcequotas", "ResourceQuota")
LIMITRANGES = Kind("", "v1", "limitranges", "LimitRange")
PODTEMPLATES = Kind("", "v1", "podtemplates", "PodTemplate")
PERSISTENTVOLUMECLAIMS = Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
PERSISTENTVOLUMES = Kind("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False)
NODES = Kind("", "v1", "nodes", "Node", namespaced=False)
NAMESPACES = Kind("", "v1", "namespaces", "Namespace", namespaced=False)
DEPLOYMENTS = Kind("apps", "v1", "deployments", "Deployment")
REPLICASETS = Kind("apps", "v1", "replicasets", "ReplicaSet")
STATEFULSETS = Kind("apps", "v1", "statefulsets", "StatefulSet")
DAEMONSETS = Kind("apps", "v1", "daemonsets", "DaemonSet")
CONTROLLERREVISIONS = Kind("apps", "v1", "controllerrevisions", "ControllerRevision")
JOBS = Kind("batch", "v1", "jobs", "Job")
CRONJOBS = Kind("batch", "v1", "cronjobs", "CronJob")
HORIZONTALPODAUTOSCALERS = Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
PODDISRUPTIONBUDGETS = Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
ENDPOINTSLICES = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASES = Kind("coordination.k8s.io", "v1", "leases", "Lease")
STORAGECLASSES = Kind("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False)
CSINODES = Kind("storage.k8s.io", "v1", "csinodes", "CSINode", namespaced=False)
VOLUMEATTACHMENTS = Kind("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", namespaced=False)
PRIORITYCLASSES = Kind("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)
RUNTIMECLASSES = Kind("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", namespaced=False)
INGRESSES = Kind("networking.k8s.io", "v1", "ingresses", "Ingress")
NETWORKPOLICIES = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
CUSTOMRESOURCEDEFINITIONS = Kind(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)

WELL_KNOWN: tuple[Kind, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Kind))
"""The kinds named in this file."""

_BY_RESOURCE = {(kind.group, kind.resource): kind for kind in WELL_KNOWN}
_BY_KIND = {(kind.group, kind.kind): kind for kind in WELL_KNOWN}


def kind_of(text: str) -> Kind:
    """``secrets``, ``deployments.apps`` or ``certificates.example.com/v1`` as a kind; version ``v1`` if unsaid."""
    name, _, version = text.partition("/")
    resource, _, group = name.partition(".")
    known = _BY_RESOURCE.get((group, resource))
    if known is not None and version in ("", known.version):
        return known
    return Kind(group, version or "v1", resource, "")


def kind_for(api_version: str, kind: str) -> Kind | None:
    """The well-known kind that an object's or an owner reference's ``apiVersion`` and ``kind`` name."""
    group, _, _ = api_version.rpartition("/")
    return _BY_KIND.get((group, kind))
