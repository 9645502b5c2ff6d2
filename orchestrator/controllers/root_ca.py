"""The cluster's certificate authority: every namespace has the ConfigMap ``kube-root-ca.crt`` with its certificate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import CONFIGMAPS, NAMESPACES
from orchestrator.client.protocol import Request, Want
from orchestrator.client.requests import create, patch
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, own_keys, refusals
from orchestrator.controllers.outcome import DONE, Outcome, retry

NAME = "kube-root-ca.crt"
DESCRIPTION = "kubernetes.io/description"
ABOUT = "The certificate authority of this cluster's API server as pods reach it (kubernetes.default.svc)."


def plan(namespace: str, held: View | None, certificate: str) -> Request | None:
    """The write that is missing."""
    data = {"ca.crt": certificate}
    if held is None:
        metadata: Object = {"name": NAME, "namespace": namespace, "annotations": {DESCRIPTION: ABOUT}}
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        return create(CONFIGMAPS, made, want=Want.REVISION)
    if held.rest.get("data") == data:
        return None
    stale: dict[str, Any] = {name: None for name in held.rest.get("data") or {} if name not in data}
    return patch(CONFIGMAPS, NAME, namespace, {"data": {**stale, **data}}, want=Want.REVISION)


class RootCertificates(Controller, kind=NAMESPACES):
    """Publishes ``certificate`` (PEM)."""

    def __init__(self, *args: Any, certificate: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self._certificate = certificate

    def watches(self) -> list[Watched]:
        return [Watched(NAMESPACES, own_keys), Watched(CONFIGMAPS, self._map_keys)]

    def _map_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        view = new or old
        return (view.namespace,) if view is not None and view.name == NAME else ()

    async def reconcile(self, key: str) -> Outcome:
        namespace = self.cache(NAMESPACES).get_key(key)
        if namespace is None or namespace.deleting or not self._certificate:
            return DONE
        request = plan(key, self.cache(CONFIGMAPS).get(key, NAME), self._certificate)
        if request is None:
            return DONE
        refused = refusals(await self.write(key, CONFIGMAPS, [request]))
        lasting = [message for _, reason, message in refused if reason not in ("AlreadyExists", "NotFound")]
        return retry(lasting[0]) if lasting else DONE
