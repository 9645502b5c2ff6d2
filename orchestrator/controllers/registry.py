"""All controllers that a cluster runs: what the composition root spawns, each under its name and its own identity."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from orchestrator.client.protocol import Identity

if TYPE_CHECKING:
    from orchestrator.controllers.controller import Controller


class Registered(msgspec.Struct, frozen=True):
    """A controller, the name of its actor and its ServiceAccount in ``kube-system``."""

    name: str
    found_at: str
    """Its module and class. It is imported when it is made: the API answers before its controllers are there."""
    account: str
    options: tuple[str, ...] = ()
    """Keyword arguments of the constructor that the composition root has to fill."""

    @property
    def controller(self) -> type[Controller]:
        module, _, name = self.found_at.partition(":")
        found: type[Controller] = getattr(import_module(f"orchestrator.controllers.{module}"), name)
        return found

    @property
    def identity(self) -> Identity:
        groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
        return Identity(f"system:serviceaccount:kube-system:{self.account}", groups)


CONTROLLERS: list[Registered] = [
    Registered("namespace", "namespace:Namespaces", "namespace-controller"),
    Registered("serviceaccount", "serviceaccount:ServiceAccounts", "service-account-controller"),
    Registered("root-ca", "root_ca:RootCertificates", "root-ca-cert-publisher", ("certificate",)),
    Registered("customresourcedefinition", "definitions:Definitions", "custom-resource-definition-controller"),
    Registered("deployment", "deployment:Deployments", "deployment-controller"),
    Registered("replicaset", "replicaset:ReplicaSets", "replicaset-controller"),
    Registered("replicationcontroller", "replicationcontroller:ReplicationControllers", "replication-controller"),
    Registered("statefulset", "statefulset:StatefulSets", "statefulset-controller"),
    Registered("daemonset", "daemonset:DaemonSets", "daemon-set-controller"),
    Registered("job", "job:Jobs", "job-controller"),
    Registered("cronjob", "cronjob:CronJobs", "cronjob-controller"),
    Registered("clusterrole-aggregation", "role_aggregation:RoleAggregation", "clusterrole-aggregation-controller"),
    Registered("endpointslice", "endpointslice:EndpointSlices", "endpointslice-controller"),
    Registered("endpoints", "endpoints:EndpointsWriter", "endpoint-controller"),
    Registered("garbage-collector", "garbage:GarbageCollector", "generic-garbage-collector"),
    Registered("node-lifecycle", "node_lifecycle:NodeLifecycle", "node-controller"),
    Registered("taint-eviction", "taint_eviction:TaintEviction", "node-controller"),
    Registered("pod-garbage-collector", "podgc:PodCollector", "pod-garbage-collector"),
    Registered("disruption", "disruption:Disruption", "disruption-controller"),
    Registered("resourcequota", "resource_quota:ResourceQuotas", "resourcequota-controller"),
    Registered("ttl-after-finished", "ttl_after_finished:FinishedJobs", "ttl-after-finished-controller"),
    Registered("horizontal-pod-autoscaler", "autoscaler:Autoscalers", "horizontal-pod-autoscaler", ("measure",)),
    Registered("volume-binder", "volume_binder:VolumeBinder", "persistent-volume-binder"),
    Registered(
        "volume-provisioner",
        "volume_provisioner:VolumeProvisioner",
        "persistent-volume-binder",
        ("base_path", "remove_directory"),
    ),
    Registered("claim-protection", "volume_protection:ClaimProtection", "pvc-protection-controller"),
    Registered("volume-protection", "volume_protection:VolumeProtection", "pv-protection-controller"),
]
"""In the order in which they are started: what others wait for comes first."""
