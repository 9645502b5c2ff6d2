"""Every object of a new cluster that is no ClusterRole, and the list of them all."""

from __future__ import annotations

import ipaddress

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.bootstrap.controller_roles import controller_roles
from orchestrator.apiserver.bootstrap.endpoints import NAME, NAMESPACE, Server, api_endpoints
from orchestrator.apiserver.bootstrap.roles import RBAC, metadata, roles_and_bindings
from orchestrator.apiserver.config import ServerConfig

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
AUTH_CONFIG = "extension-apiserver-authentication"
FLOW = "flowcontrol.apiserver.k8s.io/v1"


def bootstrap_objects(config: ServerConfig, client_ca: str = "") -> list[Object]:
    """All of them, namespaces first. ``client_ca``: PEM of the CA that client certificates are checked with."""
    return [
        *(namespace(name) for name in NAMESPACES),
        *roles_and_bindings(),
        *controller_roles(),
        *priority_classes(),
        *api_service(config),
        auth_config(client_ca),
        *auth_reader(),
        service_cidr(config),
        *flow_control(),
    ]


def namespace(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def priority_classes() -> list[Object]:
    table = (
        ("system-cluster-critical", 2_000_000_000, "Used for system critical pods that must run in the cluster."),
        (
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their node.",
        ),
    )
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            "description": text,
            "preemptionPolicy": "PreemptLowerPriority",
        }
        for name, value, text in table
    ]


def service_address(config: ServerConfig) -> str:
    """The first address of the service range: where ``kubernetes.default`` answers."""
    return str(ipaddress.ip_network(config.service_cidr)[1])


def api_service(config: ServerConfig) -> list[Object]:
    """Service, Endpoints and EndpointSlice ``default/kubernetes`` with this server's address: ``EndpointReconciler``
    puts that of others beside it."""
    address = service_address(config)
    meta: Object = {"name": NAME, "namespace": NAMESPACE}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta | {"labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {
            "clusterIP": address,
            "clusterIPs": [address],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv6" if ":" in address else "IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": config.advertise_port}],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        "status": {"loadBalancer": {}},
    }
    return [service, *api_endpoints([Server(config.advertise_port, config.advertise_address)])]


def auth_config(client_ca: str) -> Object:
    data = {"client-ca-file": client_ca} if client_ca else {}
    meta = {"name": AUTH_CONFIG, "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def auth_reader() -> list[Object]:
    name = f"{AUTH_CONFIG}-reader"
    rule: Object = {"apiGroups": [""], "resourceNames": [AUTH_CONFIG], "resources": ["configmaps"]}
    meta = metadata(name) | {"namespace": "kube-system"}
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": meta,
        "rules": [rule | {"verbs": ["get", "list", "watch"]}],
    }
    users = ("system:kube-controller-manager", "system:kube-scheduler")
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata(f"system::{name}") | {"namespace": "kube-system"},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user} for user in users],
    }
    return [role, binding]


def service_cidr(config: ServerConfig) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": [config.service_cidr]},
        "status": {
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "",
                    "message": "Kubernetes default Service CIDR is ready",
                    "lastTransitionTime": None,
                }
            ]
        },
    }


LEVELS: tuple[tuple[str, int], ...] = (
    ("system", 30),
    ("node-high", 40),
    ("leader-election", 10),
    ("workload-high", 40),
    ("workload-low", 100),
    ("global-default", 20),
)
"""Limited priority levels and their shares of the server's seats."""

SCHEMAS: tuple[tuple[str, str, int, tuple[tuple[str, str], ...], str], ...] = (
    ("exempt", "exempt", 1, (("Group", "system:masters"),), ""),
    ("probes", "exempt", 2, (("Group", "system:unauthenticated"), ("Group", "system:authenticated")), ""),
    (
        "system-leader-election",
        "leader-election",
        100,
        (("User", "system:kube-controller-manager"), ("User", "system:kube-scheduler")),
        "ByUser",
    ),
    ("endpoint-controller", "workload-high", 150, (("User", "system:kube-controller-manager"),), "ByUser"),
    ("workload-leader-election", "leader-election", 200, (("Group", "system:serviceaccounts"),), "ByUser"),
    ("system-node-high", "node-high", 400, (("Group", "system:nodes"),), "ByUser"),
    ("system-nodes", "system", 500, (("Group", "system:nodes"),), "ByUser"),
    ("kube-controller-manager", "workload-high", 800, (("User", "system:kube-controller-manager"),), "ByNamespace"),
    ("kube-scheduler", "workload-high", 800, (("User", "system:kube-scheduler"),), "ByNamespace"),
    (
        "kube-system-service-accounts",
        "workload-high",
        900,
        (("Group", "system:serviceaccounts:kube-system"),),
        "ByNamespace",
    ),
    ("service-accounts", "workload-low", 9000, (("Group", "system:serviceaccounts"),), "ByUser"),
    (
        "global-default",
        "global-default",
        9900,
        (("Group", "system:unauthenticated"), ("Group", "system:authenticated")),
        "ByUser",
    ),
    (
        "catch-all",
        "catch-all",
        10000,
        (("Group", "system:unauthenticated"), ("Group", "system:authenticated")),
        "ByUser",
    ),
)


def flow_control() -> list[Object]:
    return [*(level(name, shares) for name, shares in LEVELS), *special_levels(), *(schema(*row) for row in SCHEMAS)]


def level(name: str, shares: int) -> Object:
    queues = {"queues": 64, "handSize": 6, "queueLengthLimit": 50}
    limited = {"nominalConcurrencyShares": shares, "lendablePercent": 0}
    return level_object(
        name, {"type": "Limited", "limited": limited | {"limitResponse": {"type": "Queue", "queuing": queues}}}
    )


def special_levels() -> list[Object]:
    exempt = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}
    limited = {"nominalConcurrencyShares": 5, "lendablePercent": 0, "limitResponse": {"type": "Reject"}}
    return [level_object("exempt", exempt), level_object("catch-all", {"type": "Limited", "limited": limited})]


def level_object(name: str, spec: Object) -> Object:
    meta = flow_metadata(name)
    return {"apiVersion": FLOW, "kind": "PriorityLevelConfiguration", "metadata": meta, "spec": spec, "status": {}}


def schema(name: str, priority_level: str, precedence: int, who: tuple[tuple[str, str], ...], method: str) -> Object:
    subjects = [{"kind": kind, kind.lower(): {"name": value}} for kind, value in who]
    rules: Object = {"subjects": subjects, "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}
    if name == "probes":
        rules["nonResourceRules"] = [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}]
    else:
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}
        rules["resourceRules"] = [everything]
    spec: Object = {
        "priorityLevelConfiguration": {"name": priority_level},
        "matchingPrecedence": precedence,
        "rules": [rules],
    }
    if method:
        spec["distinguisherMethod"] = {"type": method}
    return {"apiVersion": FLOW, "kind": "FlowSchema", "metadata": flow_metadata(name), "spec": spec, "status": {}}


def flow_metadata(name: str) -> Object:
    return {"name": name, "annotations": {"apf.kubernetes.io/autoupdate-spec": "true"}}
