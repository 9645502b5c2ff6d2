"""Service accounts, roles and their bindings from words."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.made_workloads import Maker

Object = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"


def account_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")


def account(options: argparse.Namespace) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": options.name}}


def role_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--verb", action="append", required=True, metavar="VERB,...")
    parser.add_argument("--resource", action="append", required=True, metavar="PLURAL[.GROUP][/SUB],...")
    parser.add_argument("--resource-name", action="append", default=[], metavar="NAME")


def rules(options: argparse.Namespace) -> list[Object]:
    """One rule for each API group."""
    groups: dict[str, list[str]] = {}
    for word in split(options.resource):
        name, slash, sub = word.partition("/")
        plural, _, group = name.partition(".")
        groups.setdefault(group, []).append(plural + slash + sub)
    names = {"resourceNames": list(options.resource_name)} if options.resource_name else {}
    verbs = split(options.verb)
    return [{"apiGroups": [group], "resources": found, "verbs": verbs, **names} for group, found in groups.items()]


def split(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in word.split(",") if part]


def role(options: argparse.Namespace) -> Object:
    return {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": {"name": options.name}, "rules": rules(options)}


def cluster_role(options: argparse.Namespace) -> Object:
    return {**role(options), "kind": "ClusterRole"}


def binding_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--role", default="")
    parser.add_argument("--clusterrole", default="")
    parser.add_argument("--user", action="append", default=[])
    parser.add_argument("--group", action="append", default=[])
    parser.add_argument("--serviceaccount", action="append", default=[], metavar="NAMESPACE:NAME")


def binding(options: argparse.Namespace) -> Object:
    if bool(options.role) == bool(options.clusterrole):
        raise CommandError("give --role or --clusterrole", code=2)
    reference = {
        "apiGroup": RBAC,
        "kind": "Role" if options.role else "ClusterRole",
        "name": options.role or options.clusterrole,
    }
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": options.name},
        "roleRef": reference,
        "subjects": subjects(options),
    }


def cluster_binding(options: argparse.Namespace) -> Object:
    if options.role:
        raise CommandError("a ClusterRoleBinding takes --clusterrole", code=2)
    return {**binding(options), "kind": "ClusterRoleBinding"}


def subjects(options: argparse.Namespace) -> list[Object]:
    found: list[Object] = [{"apiGroup": RBAC, "kind": "User", "name": name} for name in options.user]
    found += [{"apiGroup": RBAC, "kind": "Group", "name": name} for name in options.group]
    for word in options.serviceaccount:
        namespace, colon, name = word.partition(":")
        if not colon or not name:
            raise CommandError(f"--serviceaccount: expected NAMESPACE:NAME, found {word!r}", code=2)
        found.append({"kind": "ServiceAccount", "name": name, "namespace": namespace})
    return found


MAKERS: dict[str, Maker] = {
    "serviceaccount": (account_arguments, account),
    "role": (role_arguments, role),
    "clusterrole": (role_arguments, cluster_role),
    "rolebinding": (binding_arguments, binding),
    "clusterrolebinding": (binding_arguments, cluster_binding),
}
