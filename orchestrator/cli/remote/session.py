"""Everything one run of a verb needs of its cluster."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from orchestrator.cli.remote import access, discovery
from orchestrator.cli.remote.connection import JSON, MERGE, Connection, Query
from orchestrator.cli.remote.resource import Resource

Object = dict[str, Any]
MANAGER = "podium"
"""The field manager of what the command writes."""
PAGE = 500
"""Objects in one answer to a list."""


def arguments(parser: argparse.ArgumentParser, *, every_namespace: bool = False) -> None:
    """The options that say which cluster and namespace."""
    group = parser.add_argument_group("which cluster")
    group.add_argument("--kubeconfig", metavar="FILE", help="instead of $KUBECONFIG or ~/.kube/config")
    group.add_argument("--context", metavar="NAME", help="a context of the kubeconfig (default: its current one)")
    group.add_argument("-n", "--namespace", metavar="NAME", help="default: the context's")
    if every_namespace:
        group.add_argument("-A", "--all-namespaces", action="store_true", help="objects of every namespace")


class Session:
    """``namespace`` is the chosen one, "" for all of them. Close it by ``with``; warnings are printed then."""

    def __init__(self, connection: Connection, served: discovery.Discovery, namespace: str, now: float) -> None:
        self.connection = connection
        self.discovery = served
        self.namespace = namespace
        self.own_namespace = namespace or connection.access.namespace
        """Where something new is put."""
        self.now = now

    @classmethod
    def begin(cls, options: argparse.Namespace) -> Session:
        found = access.find(options.kubeconfig, options.context, os.environ, Path.home())
        connection = Connection(found)
        now = time.time()
        namespace = "" if getattr(options, "all_namespaces", False) else options.namespace or found.namespace
        return cls(connection, discovery.Discovery(connection, discovery.folder(), now), namespace, now)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        for warning in self.connection.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        self.connection.close()

    def place(self, resource: Resource, obj: Object | None = None) -> str:
        """The namespace of an object of this resource: its own if it says one."""
        if not resource.namespaced:
            return ""
        return ((obj or {}).get("metadata") or {}).get("namespace") or self.own_namespace

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        return self.connection.get(resource.path(self._in(resource, namespace), name))

    def list(
        self, resource: Resource, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """All objects; apiVersion and kind are filled in."""
        items: list[Object] = []
        token = ""
        path = resource.path(self.namespace if namespace is None else namespace)
        while True:
            query: Query = {"labelSelector": labels, "fieldSelector": fields, "limit": PAGE, "continue": token}
            page = self.connection.get(path, query)
            items += [
                {"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in page.get("items") or ()
            ]
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return items

    def create(self, resource: Resource, obj: Object, *, dry_run: bool = False) -> Object:
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict", "dryRun": "All" if dry_run else ""}
        return self.connection.call("POST", resource.path(self.place(resource, obj)), query, obj)[1]

    def patch(
        self,
        resource: Resource,
        name: str,
        body: Any,
        *,
        kind: str = MERGE,
        namespace: str | None = None,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Object:
        query = {"fieldManager": MANAGER, "dryRun": "All" if dry_run else ""}
        path = resource.path(self._in(resource, namespace), name, subresource)
        return self.connection.call("PATCH", path, query, body, accept=JSON, content=kind)[1]

    def find(self, word: str) -> Resource:
        return self.discovery.find(word)

    def _in(self, resource: Resource, namespace: str | None) -> str:
        if not resource.namespaced:
            return ""
        return self.own_namespace if namespace is None else namespace
