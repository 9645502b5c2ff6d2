"""Kubernetes' bootstrap ClusterRoles and bindings, as short tables of ``verbs  group  resources``."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object

RBAC = "rbac.authorization.k8s.io"
READ = "get list watch"
WRITE = "create delete deletecollection patch update"
EVENTS = ("create patch update", " events.k8s.io", "events")

Row = tuple[str, str, str]
"""Verbs, API groups ("," separated, "" is core) and resources, or "url" and paths."""

POD_POKE = "pods/attach pods/exec pods/portforward pods/proxy"
CORE_EDIT = (
    "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale "
    "secrets serviceaccounts services services/proxy"
)
APPS = (
    "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets "
    "statefulsets/scale"
)
VIEW_CORE = (
    "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
    "replicationcontrollers/scale serviceaccounts services services/status bindings events limitranges "
    "namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status "
    "namespaces"
)

AGGREGATE_VIEW: tuple[Row, ...] = (
    (READ, "", VIEW_CORE),
    (READ, "discovery.k8s.io", "endpointslices"),
    (
        READ,
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets "
        "replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
    ),
    (READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    (READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
    (READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    (READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
    (READ, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
)
AGGREGATE_EDIT: tuple[Row, ...] = (
    (READ, "", f"{POD_POKE} secrets services/proxy"),
    ("impersonate", "", "serviceaccounts"),
    (WRITE, "", f"pods {POD_POKE}"),
    ("create", "", "pods/eviction"),
    (WRITE, "", f"{CORE_EDIT}"),
    ("create", "", "serviceaccounts/token"),
    (WRITE, "apps", APPS),
    (WRITE, "autoscaling", "horizontalpodautoscalers"),
    (WRITE, "batch", "cronjobs jobs"),
    (WRITE, "policy", "poddisruptionbudgets"),
    (WRITE, "networking.k8s.io", "ingresses networkpolicies"),
    (READ + " " + WRITE, "coordination.k8s.io", "leases"),
    (WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
)
AGGREGATE_ADMIN: tuple[Row, ...] = (
    ("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    (READ + " " + WRITE, RBAC, "roles rolebindings"),
)

REVIEWS: Row = ("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews")
DISCOVERY_PATHS = "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/"
PUBLIC_PATHS = "/healthz /livez /readyz /version /version/"

COMPONENTS: dict[str, tuple[Row, ...]] = {
    "cluster-admin": (("*", "*", "*"), ("*", "url", "*")),
    "system:discovery": (("get", "url", DISCOVERY_PATHS),),
    "system:public-info-viewer": (("get", "url", PUBLIC_PATHS),),
    "system:monitoring": (
        ("get", "url", "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*"),
    ),
    "system:basic-user": (REVIEWS, ("create", "authentication.k8s.io", "selfsubjectreviews")),
    "system:auth-delegator": (
        ("create", "authentication.k8s.io", "tokenreviews"),
        ("create", "authorization.k8s.io", "subjectaccessreviews"),
    ),
    "system:heapster": (
        (READ, "", "events namespaces nodes pods"),
        (READ, "extensions", "deployments"),
    ),
    "system:node-problem-detector": (("get", "", "nodes"), ("patch", "", "nodes/status"), EVENTS),
    "system:node-bootstrapper": (("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),),
    "system:kubelet-api-admin": (
        (READ + " proxy", "", "nodes"),
        ("*", "", "nodes/log nodes/metrics nodes/proxy nodes/stats"),
    ),
    "system:service-account-issuer-discovery": (
        (
            "get",
            "url",
            "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
        ),
    ),
    "system:kube-aggregator": ((READ, "", "endpoints services"),),
    "system:kube-dns": (("list watch", "", "endpoints services"),),
    "system:persistent-volume-provisioner": (
        ("create delete get list watch", "", "persistentvolumes"),
        ("get list update watch", "", "persistentvolumeclaims"),
        (READ, "storage.k8s.io", "storageclasses"),
        ("watch", "", "events"),
        EVENTS,
    ),
    "system:kube-proxy": (
        ("list watch", "", "services endpoints"),
        ("get list watch", "", "nodes"),
        EVENTS,
        ("list watch", "discovery.k8s.io", "endpointslices"),
        ("list watch", "networking.k8s.io", "servicecidrs"),
    ),
    "system:kube-scheduler": (
        EVENTS,
        ("create", "coordination.k8s.io", "leases"),
        ("get list update watch", "coordination.k8s.io", "leases leasecandidates"),
        (READ, "", "nodes namespaces"),
        ("delete get list watch", "", "pods"),
        ("create", "", "bindings pods/binding"),
        ("patch update", "", "pods/status"),
        (READ, "", "replicationcontrollers services"),
        (READ, "apps", "replicasets statefulsets"),
        (READ, "policy", "poddisruptionbudgets"),
        ("get list watch patch update", "", "persistentvolumeclaims persistentvolumes"),
        ("create", "authentication.k8s.io", "tokenreviews"),
        ("create", "authorization.k8s.io", "subjectaccessreviews"),
        (READ, "storage.k8s.io", "csinodes csidrivers csistoragecapacities storageclasses volumeattachments"),
        (
            READ,
            "resource.k8s.io",
            "deviceclasses resourceslices resourceclaims resourceclaimtemplates devicetaintrules",
        ),
        ("patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"),
    ),
    "system:kube-controller-manager": (
        EVENTS,
        ("create", "coordination.k8s.io", "leases"),
        ("get list update watch", "coordination.k8s.io", "leases"),
        ("create", "", "secrets serviceaccounts serviceaccounts/token"),
        ("delete", "", "secrets"),
        ("get", "", "configmaps namespaces secrets serviceaccounts"),
        ("update", "", "secrets serviceaccounts"),
        ("create", "authentication.k8s.io", "tokenreviews"),
        ("create", "authorization.k8s.io", "subjectaccessreviews"),
        ("list watch", "*", "*"),
    ),
    "system:volume-scheduler": (
        ("get list patch update watch", "", "persistentvolumes"),
        (READ, "storage.k8s.io", "storageclasses"),
        ("get list patch update watch", "", "persistentvolumeclaims"),
    ),
    "system:node-proxier": (
        ("list watch", "", "services endpoints"),
        (READ, "", "nodes"),
        EVENTS,
        ("list watch", "discovery.k8s.io", "endpointslices"),
    ),
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient": (
        ("create", "certificates.k8s.io", "certificatesigningrequests/nodeclient"),
    ),
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": (
        ("create", "certificates.k8s.io", "certificatesigningrequests/selfnodeclient"),
    ),
}

NODE: tuple[Row, ...] = (
    ("create", "authentication.k8s.io", "tokenreviews"),
    ("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
    (READ, "", "services"),
    ("create get list watch", "", "nodes"),
    ("patch update", "", "nodes nodes/status"),
    EVENTS,
    (READ, "", "pods"),
    ("create delete", "", "pods"),
    ("patch update", "", "pods/status"),
    ("create", "", "pods/eviction"),
    (READ, "", "configmaps secrets"),
    ("get", "", "persistentvolumeclaims persistentvolumes"),
    ("get", "", "endpoints"),
    ("create get list watch", "certificates.k8s.io", "certificatesigningrequests podcertificaterequests"),
    (READ, "certificates.k8s.io", "clustertrustbundles"),
    ("create delete get patch update", "coordination.k8s.io", "leases"),
    ("get", "storage.k8s.io", "volumeattachments"),
    ("create", "", "serviceaccounts/token"),
    ("get", "", "serviceaccounts"),
    ("get patch update", "", "persistentvolumeclaims/status"),
    (READ, "storage.k8s.io", "csidrivers"),
    ("create delete get patch update", "storage.k8s.io", "csinodes"),
    (READ, "node.k8s.io", "runtimeclasses"),
    ("get", "resource.k8s.io", "resourceclaims"),
    ("deletecollection create delete get list patch update watch", "resource.k8s.io", "resourceslices"),
)
"""What a node may do. Bound to nobody: the node authorizer grants it to ``system:nodes``."""

BINDINGS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("cluster-admin", "cluster-admin", (("Group", "system:masters"),)),
    ("system:monitoring", "system:monitoring", (("Group", "system:monitoring"),)),
    ("system:discovery", "system:discovery", (("Group", "system:authenticated"),)),
    ("system:basic-user", "system:basic-user", (("Group", "system:authenticated"),)),
    (
        "system:public-info-viewer",
        "system:public-info-viewer",
        (("Group", "system:authenticated"), ("Group", "system:unauthenticated")),
    ),
    ("system:node-proxier", "system:node-proxier", (("User", "system:kube-proxy"),)),
    ("system:kube-proxy", "system:kube-proxy", (("User", "system:kube-proxy"),)),
    ("system:kube-controller-manager", "system:kube-controller-manager", (("User", "system:kube-controller-manager"),)),
    ("system:kube-dns", "system:kube-dns", (("ServiceAccount", "kube-system/kube-dns"),)),
    ("system:kube-scheduler", "system:kube-scheduler", (("User", "system:kube-scheduler"),)),
    ("system:volume-scheduler", "system:volume-scheduler", (("User", "system:kube-scheduler"),)),
    ("system:node", "system:node", ()),
    (
        "system:service-account-issuer-discovery",
        "system:service-account-issuer-discovery",
        (("Group", "system:serviceaccounts"),),
    ),
)


def rule(row: Row) -> Object:
    verbs, groups, names = row
    if groups == "url":
        return {"nonResourceURLs": names.split(), "verbs": verbs.split()}
    return {"apiGroups": groups.split(" "), "resources": names.split(), "verbs": verbs.split()}


def metadata(name: str, **more: object) -> Object:
    return {
        "name": name,
        "annotations": {f"{RBAC}/autoupdate": "true"},
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults", **more},
    }


def cluster_role(name: str, rows: tuple[Row, ...], **labels: object) -> Object:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": metadata(name, **labels),
        "rules": [rule(row) for row in rows],
    }


def aggregated_role(name: str, rows: tuple[Row, ...], label: str, **labels: object) -> Object:
    """A role with a selector, its rules already summed: the aggregation controller finds nothing to do."""
    role = cluster_role(name, rows, **labels)
    selector = {"matchLabels": {f"{RBAC}/aggregate-to-{label}": "true"}}
    return role | {"aggregationRule": {"clusterRoleSelectors": [selector]}}


def binding(name: str, role: str, subjects: tuple[tuple[str, str], ...]) -> Object:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": metadata(name),
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [subject(kind, who) for kind, who in subjects],
    }


def subject(kind: str, who: str) -> Object:
    if kind == "ServiceAccount":
        namespace, _, name = who.partition("/")
        return {"kind": kind, "name": name, "namespace": namespace}
    return {"apiGroup": RBAC, "kind": kind, "name": who}


def user_facing() -> list[Object]:
    """admin, edit and view, and the three roles that are aggregated to them."""
    to_admin, to_edit, to_view = (f"{RBAC}/aggregate-to-{name}" for name in ("admin", "edit", "view"))
    yes = "true"
    return [
        aggregated_role("admin", AGGREGATE_ADMIN + AGGREGATE_EDIT + AGGREGATE_VIEW, "admin"),
        aggregated_role("edit", AGGREGATE_EDIT + AGGREGATE_VIEW, "edit", **{to_admin: yes}),
        aggregated_role("view", AGGREGATE_VIEW, "view", **{to_edit: yes}),
        cluster_role("system:aggregate-to-admin", AGGREGATE_ADMIN, **{to_admin: yes}),
        cluster_role("system:aggregate-to-edit", AGGREGATE_EDIT, **{to_edit: yes}),
        cluster_role("system:aggregate-to-view", AGGREGATE_VIEW, **{to_view: yes}),
    ]


def roles_and_bindings() -> list[Object]:
    roles = [cluster_role(name, rows) for name, rows in COMPONENTS.items()]
    bindings = [binding(name, role, subjects) for name, role, subjects in BINDINGS]
    return [*user_facing(), *roles, cluster_role("system:node", NODE), *bindings]
