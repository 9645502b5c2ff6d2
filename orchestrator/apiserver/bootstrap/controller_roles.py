"""The ClusterRoles ``system:controller:<name>`` and their bindings to ``kube-system/<name>`` service accounts."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.bootstrap.roles import EVENTS, READ, Row, binding, cluster_role

ALL_READ: Row = (READ, "*", "*")

CONTROLLERS: dict[str, tuple[Row, ...]] = {
    "attachdetach-controller": (
        (READ, "", "persistentvolumeclaims persistentvolumes nodes pods"),
        ("patch update", "", "nodes/status"),
        ("create delete get list watch", "storage.k8s.io", "volumeattachments"),
        (READ, "storage.k8s.io", "csidrivers csinodes"),
        EVENTS,
    ),
    "clusterrole-aggregation-controller": (
        ("escalate get list patch update watch", "rbac.authorization.k8s.io", "clusterroles"),
    ),
    "cronjob-controller": (
        ("get list update watch", "batch", "cronjobs"),
        ("create delete get list patch update watch", "batch", "jobs"),
        ("update", "batch", "cronjobs/finalizers cronjobs/status"),
        ("delete list", "", "pods"),
        EVENTS,
    ),
    "custom-resource-definition-controller": (
        ("get list patch watch", "apiextensions.k8s.io", "customresourcedefinitions"),
        ("update patch", "apiextensions.k8s.io", "customresourcedefinitions/status"),
        ("list delete deletecollection", "*", "*"),
        EVENTS,
    ),
    "daemon-set-controller": (
        (READ, "apps", "daemonsets"),
        ("update patch", "apps", "daemonsets/finalizers daemonsets/status"),
        ("list watch", "", "nodes"),
        ("create delete list patch watch", "", "pods"),
        ("create", "", "pods/binding"),
        ("create delete get list patch update watch", "apps", "controllerrevisions"),
        EVENTS,
    ),
    "deployment-controller": (
        ("get list update watch", "apps", "deployments"),
        ("update patch", "apps", "deployments/finalizers deployments/status"),
        ("create delete get list patch update watch", "apps", "replicasets"),
        ("get list update watch", "", "pods"),
        EVENTS,
    ),
    "disruption-controller": (
        (READ, "apps", "deployments replicasets statefulsets"),
        (READ, "", "replicationcontrollers pods"),
        (READ, "policy", "poddisruptionbudgets"),
        ("update patch", "policy", "poddisruptionbudgets/status"),
        ("patch update", "", "pods/status"),
        ("get", "*", "*/scale"),
        EVENTS,
    ),
    "endpoint-controller": (
        (READ, "", "pods services"),
        ("create delete get list update watch patch", "", "endpoints"),
        ("create", "", "endpoints/restricted"),
        EVENTS,
    ),
    "endpointslice-controller": (
        (READ, "", "nodes pods services"),
        ("update", "", "services/finalizers"),
        ("create delete get list update watch patch", "discovery.k8s.io", "endpointslices"),
        ("create", "discovery.k8s.io", "endpointslices/restricted"),
        EVENTS,
    ),
    "endpointslicemirroring-controller": (
        (READ, "", "endpoints services"),
        ("update", "", "services/finalizers endpoints/finalizers"),
        ("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
        ("create", "discovery.k8s.io", "endpointslices/restricted"),
        EVENTS,
    ),
    "ephemeral-volume-controller": (
        ("update", "", "pods/finalizers"),
        (READ, "", "pods"),
        ("create get list watch", "", "persistentvolumeclaims"),
        EVENTS,
    ),
    "expand-controller": (
        ("get list patch update watch", "", "persistentvolumes"),
        ("patch update", "", "persistentvolumeclaims/status"),
        (READ, "", "persistentvolumeclaims"),
        EVENTS,
    ),
    "generic-garbage-collector": (("delete get list patch update watch", "*", "*"), EVENTS),
    "horizontal-pod-autoscaler": (
        (READ, "autoscaling", "horizontalpodautoscalers"),
        ("update patch", "autoscaling", "horizontalpodautoscalers/status"),
        ("get update patch", "*", "*/scale"),
        ("list", "", "pods"),
        ("get list", "metrics.k8s.io", "pods"),
        ("get list", "custom.metrics.k8s.io", "*"),
        ("get list", "external.metrics.k8s.io", "*"),
        EVENTS,
    ),
    "job-controller": (
        ("get list patch update watch", "batch", "jobs"),
        ("update patch", "batch", "jobs/finalizers jobs/status"),
        ("create delete list patch watch get", "", "pods"),
        EVENTS,
    ),
    "namespace-controller": (
        (READ + " delete", "", "namespaces"),
        ("update patch", "", "namespaces/finalize namespaces/status"),
        ("delete deletecollection get list", "*", "*"),
    ),
    "node-controller": (
        ("get list update delete patch watch", "", "nodes"),
        ("patch update", "", "nodes/status"),
        ("patch update", "", "pods/status"),
        ("list watch delete get", "", "pods"),
        (READ, "coordination.k8s.io", "leases"),
        EVENTS,
    ),
    "persistent-volume-binder": (
        ("create delete get list update watch patch", "", "persistentvolumes"),
        ("patch update", "", "persistentvolumes/status persistentvolumeclaims/status"),
        ("get list update watch patch", "", "persistentvolumeclaims"),
        ("create delete get list watch", "", "pods"),
        (READ, "storage.k8s.io", "storageclasses"),
        ("create delete get list update watch", "", "endpoints services"),
        ("get list", "", "secrets nodes"),
        EVENTS,
    ),
    "pod-garbage-collector": (
        ("delete list watch get", "", "pods"),
        ("get list watch", "", "nodes"),
        ("patch", "", "pods/status"),
    ),
    "pv-protection-controller": (("get list update watch patch", "", "persistentvolumes"), EVENTS),
    "pvc-protection-controller": (
        ("get list update watch patch", "", "persistentvolumeclaims"),
        (READ, "", "pods"),
        EVENTS,
    ),
    "replicaset-controller": (
        ("get list update watch", "apps", "replicasets"),
        ("update patch", "apps", "replicasets/finalizers replicasets/status"),
        ("create delete list patch watch get", "", "pods"),
        EVENTS,
    ),
    "replication-controller": (
        ("get list update watch", "", "replicationcontrollers"),
        ("update patch", "", "replicationcontrollers/finalizers replicationcontrollers/status"),
        ("create delete list patch watch get", "", "pods"),
        EVENTS,
    ),
    "resourcequota-controller": (
        ("list watch", "*", "*"),
        ("update patch", "", "resourcequotas/status"),
        EVENTS,
    ),
    "root-ca-cert-publisher": (
        ("create get list update patch watch", "", "configmaps"),
        (READ, "", "namespaces"),
        EVENTS,
    ),
    "service-account-controller": (
        ("create get list watch", "", "serviceaccounts"),
        (READ, "", "namespaces"),
        EVENTS,
    ),
    "statefulset-controller": (
        ("list watch get", "", "pods"),
        ("create delete get patch update", "", "pods"),
        (READ, "apps", "statefulsets"),
        ("update patch", "apps", "statefulsets/status statefulsets/finalizers"),
        ("create delete get list patch update watch", "apps", "controllerrevisions"),
        ("create get list update watch patch delete", "", "persistentvolumeclaims"),
        EVENTS,
    ),
    "ttl-after-finished-controller": (("delete get list watch", "batch", "jobs"), EVENTS),
    "ttl-controller": (("list patch update watch", "", "nodes"), EVENTS),
    "taint-eviction-controller": (
        (READ, "", "nodes pods"),
        ("delete", "", "pods"),
        ("patch update", "", "pods/status"),
        EVENTS,
    ),
    "certificate-controller": (
        ("delete get list watch", "certificates.k8s.io", "certificatesigningrequests"),
        (
            "update",
            "certificates.k8s.io",
            "certificatesigningrequests/approval certificatesigningrequests/status",
        ),
        ("approve sign", "certificates.k8s.io", "signers"),
        ("create", "authorization.k8s.io", "subjectaccessreviews"),
        EVENTS,
    ),
    "service-cidrs-controller": (
        ("get list patch update watch", "networking.k8s.io", "servicecidrs"),
        ("patch update", "networking.k8s.io", "servicecidrs/finalizers servicecidrs/status"),
        (READ, "networking.k8s.io", "ipaddresses"),
        EVENTS,
    ),
    "resource-claim-controller": (
        (READ, "", "pods"),
        ("update", "", "pods/finalizers"),
        ("create delete get list watch", "resource.k8s.io", "resourceclaims"),
        ("patch update", "resource.k8s.io", "resourceclaims/status"),
        (READ, "resource.k8s.io", "resourceclaimtemplates"),
        ("patch update", "", "pods/status"),
        EVENTS,
    ),
    "validatingadmissionpolicy-status-controller": (
        ALL_READ,
        ("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"),
    ),
}


def controller_roles() -> list[Object]:
    """A role and its binding for each controller."""
    made: list[Object] = []
    for name, rows in CONTROLLERS.items():
        role = f"system:controller:{name}"
        made.append(cluster_role(role, tuple(map(_may_patch, rows))))
        made.append(binding(role, role, (("ServiceAccount", f"kube-system/{name}"),)))
    return made


def _may_patch(row: Row) -> Row:
    """Podium's controllers change objects with patches where upstream's put them whole: who may update may patch."""
    verbs, group, resources = row
    words = verbs.split()
    return (f"{verbs} patch", group, resources) if "update" in words and "patch" not in words else row
