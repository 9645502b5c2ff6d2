"""All controllers that a cluster runs: what the composition root spawns, each under its name and its own identity."""

from __future__ import annotations

import msgspec

from orchestrator.client.protocol import Identity
from orchestrator.controllers.autoscaler import Autoscalers
from orchestrator.controllers.controller import Controller
from orchestrator.controllers.cronjob import CronJobs
from orchestrator.controllers.daemonset import DaemonSets
from orchestrator.controllers.definitions import Definitions
from orchestrator.controllers.deployment import Deployments
from orchestrator.controllers.disruption import Disruption
from orchestrator.controllers.endpoints import EndpointsWriter
from orchestrator.controllers.endpointslice import EndpointSlices
from orchestrator.controllers.garbage import GarbageCollector
from orchestrator.controllers.job import Jobs
from orchestrator.controllers.namespace import Namespaces
from orchestrator.controllers.node_lifecycle import NodeLifecycle
from orchestrator.controllers.podgc import PodCollector
from orchestrator.controllers.replicaset import ReplicaSets
from orchestrator.controllers.replicationcontroller import ReplicationControllers
from orchestrator.controllers.resource_quota import ResourceQuotas
from orchestrator.controllers.role_aggregation import RoleAggregation
from orchestrator.controllers.root_ca import RootCertificates
from orchestrator.controllers.serviceaccount import ServiceAccounts
from orchestrator.controllers.statefulset import StatefulSets
from orchestrator.controllers.taint_eviction import TaintEviction
from orchestrator.controllers.ttl_after_finished import FinishedJobs
from orchestrator.controllers.volume_binder import VolumeBinder
from orchestrator.controllers.volume_protection import ClaimProtection, VolumeProtection
from orchestrator.controllers.volume_provisioner import VolumeProvisioner


class Registered(msgspec.Struct, frozen=True):
    """A controller, the name of its actor and its ServiceAccount in ``kube-system``."""

    name: str
    controller: type[Controller]
    account: str
    options: tuple[str, ...] = ()
    """Keyword arguments of the constructor that the composition root has to fill."""

    @property
    def identity(self) -> Identity:
        groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
        return Identity(f"system:serviceaccount:kube-system:{self.account}", groups)


CONTROLLERS: list[Registered] = [
    Registered("namespace", Namespaces, "namespace-controller"),
    Registered("serviceaccount", ServiceAccounts, "service-account-controller"),
    Registered("root-ca", RootCertificates, "root-ca-cert-publisher", ("certificate",)),
    Registered("customresourcedefinition", Definitions, "custom-resource-definition-controller"),
    Registered("deployment", Deployments, "deployment-controller"),
    Registered("replicaset", ReplicaSets, "replicaset-controller"),
    Registered("replicationcontroller", ReplicationControllers, "replication-controller"),
    Registered("statefulset", StatefulSets, "statefulset-controller"),
    Registered("daemonset", DaemonSets, "daemon-set-controller"),
    Registered("job", Jobs, "job-controller"),
    Registered("cronjob", CronJobs, "cronjob-controller"),
    Registered("clusterrole-aggregation", RoleAggregation, "clusterrole-aggregation-controller"),
    Registered("endpointslice", EndpointSlices, "endpointslice-controller"),
    Registered("endpoints", EndpointsWriter, "endpoint-controller"),
    Registered("garbage-collector", GarbageCollector, "generic-garbage-collector"),
    Registered("node-lifecycle", NodeLifecycle, "node-controller"),
    Registered("taint-eviction", TaintEviction, "node-controller"),
    Registered("pod-garbage-collector", PodCollector, "pod-garbage-collector"),
    Registered("disruption", Disruption, "disruption-controller"),
    Registered("resourcequota", ResourceQuotas, "resourcequota-controller"),
    Registered("ttl-after-finished", FinishedJobs, "ttl-after-finished-controller"),
    Registered("horizontal-pod-autoscaler", Autoscalers, "horizontal-pod-autoscaler", ("measure",)),
    Registered("volume-binder", VolumeBinder, "persistent-volume-binder"),
    Registered("volume-provisioner", VolumeProvisioner, "persistent-volume-binder", ("base_path", "remove_directory")),
    Registered("claim-protection", ClaimProtection, "pvc-protection-controller"),
    Registered("volume-protection", VolumeProtection, "pv-protection-controller"),
]
"""In the order in which they are started: what others wait for comes first."""
