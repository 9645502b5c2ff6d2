"""What is served: lightkube's table, and where it is silent short names, categories and streaming subresources."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

GROUP_VERSIONS = {
    ("", "v1"),
    ("admissionregistration.k8s.io", "v1"),
    ("apiextensions.k8s.io", "v1"),
    ("apiregistration.k8s.io", "v1"),
    ("apps", "v1"),
    ("authentication.k8s.io", "v1"),
    ("authorization.k8s.io", "v1"),
    ("autoscaling", "v1"),
    ("autoscaling", "v2"),
    ("batch", "v1"),
    ("certificates.k8s.io", "v1"),
    ("coordination.k8s.io", "v1"),
    ("discovery.k8s.io", "v1"),
    ("events.k8s.io", "v1"),
    ("flowcontrol.apiserver.k8s.io", "v1"),
    ("internal.apiserver.k8s.io", "v1alpha1"),
    ("networking.k8s.io", "v1"),
    ("node.k8s.io", "v1"),
    ("policy", "v1"),
    ("rbac.authorization.k8s.io", "v1"),
    ("resource.k8s.io", "v1"),
    ("scheduling.k8s.io", "v1"),
    ("storage.k8s.io", "v1"),
    ("storagemigration.k8s.io", "v1"),
}

SHORT_NAMES = {
    "": {
        "componentstatuses": ["cs"],
        "configmaps": ["cm"],
        "endpoints": ["ep"],
        "events": ["ev"],
        "limitranges": ["limits"],
        "namespaces": ["ns"],
        "nodes": ["no"],
        "persistentvolumeclaims": ["pvc"],
        "persistentvolumes": ["pv"],
        "pods": ["po"],
        "replicationcontrollers": ["rc"],
        "resourcequotas": ["quota"],
        "serviceaccounts": ["sa"],
        "services": ["svc"],
    },
    "apiextensions.k8s.io": {"customresourcedefinitions": ["crd", "crds"]},
    "apps": {
        "daemonsets": ["ds"],
        "deployments": ["deploy"],
        "replicasets": ["rs"],
        "statefulsets": ["sts"],
    },
    "autoscaling": {"horizontalpodautoscalers": ["hpa"]},
    "batch": {"cronjobs": ["cj"]},
    "certificates.k8s.io": {"certificatesigningrequests": ["csr"]},
    "events.k8s.io": {"events": ["ev"]},
    "networking.k8s.io": {"ingresses": ["ing"], "ipaddresses": ["ip"], "networkpolicies": ["netpol"]},
    "policy": {"poddisruptionbudgets": ["pdb"]},
    "scheduling.k8s.io": {"priorityclasses": ["pc"]},
    "storage.k8s.io": {"storageclasses": ["sc"], "volumeattributesclasses": ["vac"]},
}

CATEGORIES = {
    "": {"pods": ["all"], "replicationcontrollers": ["all"], "services": ["all"]},
    "admissionregistration.k8s.io": {
        "mutatingadmissionpolicies": ["api-extensions"],
        "mutatingadmissionpolicybindings": ["api-extensions"],
        "mutatingwebhookconfigurations": ["api-extensions"],
        "validatingadmissionpolicies": ["api-extensions"],
        "validatingadmissionpolicybindings": ["api-extensions"],
        "validatingwebhookconfigurations": ["api-extensions"],
    },
    "apiextensions.k8s.io": {"customresourcedefinitions": ["api-extensions"]},
    "apiregistration.k8s.io": {"apiservices": ["api-extensions"]},
    "apps": {"daemonsets": ["all"], "deployments": ["all"], "replicasets": ["all"], "statefulsets": ["all"]},
    "autoscaling": {"horizontalpodautoscalers": ["all"]},
    "batch": {"cronjobs": ["all"], "jobs": ["all"]},
}

_PROXY = ["create", "delete", "get", "patch", "update"]

SUBRESOURCES: dict[tuple[str, str], dict[str, tuple[list[str], str, str, str]]] = {
    ("", "pods"): {
        "attach": (["create", "get"], "", "v1", "PodAttachOptions"),
        "exec": (["create", "get"], "", "v1", "PodExecOptions"),
        "portforward": (["create", "get"], "", "v1", "PodPortForwardOptions"),
        "proxy": (_PROXY, "", "v1", "PodProxyOptions"),
        "log": (["get"], "", "v1", "Pod"),
    },
    ("", "services"): {"proxy": (_PROXY, "", "v1", "ServiceProxyOptions")},
    ("", "nodes"): {"proxy": (_PROXY, "", "v1", "NodeProxyOptions")},
}

VERBS = {("", "componentstatuses"): ["get", "list"]}

_VERB_NAMES = {"post": "create", "put": "update", "global_list": "list", "global_watch": "watch"}


def read_lightkube(folder: Path) -> list[dict[str, Any]]:
    """The served resources with their subresources, sorted by group, version and plural."""
    resources: dict[tuple[str, str, str], dict[str, Any]] = {}
    subresources: list[tuple[dict[str, Any], list[str]]] = []
    for path in sorted(folder.glob("*_v*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and (info := _api_info(node)):
                bases = [base.attr for base in node.bases if isinstance(base, ast.Attribute)]
                if "parent" in info:
                    subresources.append((info, bases))
                elif info["resource"][:2] in GROUP_VERSIONS:
                    resource = _resource(info, any(base.startswith("Namespaced") for base in bases))
                    resources[(resource["group"], resource["version"], resource["plural"])] = resource
    for info, _bases in subresources:
        group, version, _kind = info["parent"]
        if parent := resources.get((group, version, info["plural"])):
            parent["subresources"][info["action"]] = (_verbs(info), *info["resource"])
    for (group, plural), extra in SUBRESOURCES.items():
        resources[(group, "v1", plural)]["subresources"].update(extra)
    return [resources[key] for key in sorted(resources)]


def _api_info(node: ast.ClassDef) -> dict[str, Any] | None:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            return {word.arg or "": _literal(word.value) for word in statement.value.keywords}
    return None


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        return tuple(ast.literal_eval(argument) for argument in node.args)
    return ast.literal_eval(node)


def _verbs(info: dict[str, Any]) -> list[str]:
    return sorted({_VERB_NAMES.get(verb, verb) for verb in info["verbs"]})


def _resource(info: dict[str, Any], namespaced: bool) -> dict[str, Any]:
    group, version, kind = info["resource"]
    plural = info["plural"]
    return {
        "group": group,
        "version": version,
        "kind": kind,
        "plural": plural,
        "singular": kind.lower(),
        "namespaced": namespaced,
        "short_names": SHORT_NAMES.get(group, {}).get(plural, []),
        "categories": CATEGORIES.get(group, {}).get(plural, []),
        "verbs": VERBS.get((group, plural), _verbs(info)),
        "subresources": {},
    }
