"""ConfigMaps, Secrets and service account tokens as a node reads them: cached shortly, tokens renewed early."""

from __future__ import annotations

from typing import Any

from actors import Clock
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import (
    CONFIGMAPS,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    Kind,
)
from orchestrator.kubelet.pod import Pod
from orchestrator.kubelet.runtime.errors import RuntimeFailure

FRESH_SECONDS = 5.0
"""How old a cached object may be: the pods of a rollout share one read."""
MAX_CACHED = 1024
"""Objects and tokens kept; the oldest goes first."""
RENEW_SHARE = 0.8
"""A token is renewed after this share of its life."""


class Sources:
    """Objects are what the API server says; a missing one is None."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._objects: dict[tuple[str, str, str], tuple[float, Object | None]] = {}
        self._tokens: dict[tuple[str, str, str], tuple[float, str]] = {}

    async def config_map(self, namespace: str, name: str) -> Object | None:
        return await self._get(CONFIGMAPS, namespace, name)

    async def secret(self, namespace: str, name: str) -> Object | None:
        return await self._get(SECRETS, namespace, name)

    async def claim(self, namespace: str, name: str) -> Object | None:
        """One that was not bound yet is read again: it soon is."""
        key = (PERSISTENTVOLUMECLAIMS.resource, namespace, name)
        _, held = self._objects.get(key, (0.0, None))
        if held is None or held.get("status", {}).get("phase") != "Bound":
            self._objects.pop(key, None)
        return await self._get(PERSISTENTVOLUMECLAIMS, namespace, name)

    async def volume(self, name: str) -> Object | None:
        return await self._get(PERSISTENTVOLUMES, "", name)

    async def services(self, namespace: str) -> list[Object]:
        held = await self._cached(("services", namespace, ""), self._list_services(namespace))
        items: list[Object] = (held or {}).get("items", [])
        return items

    async def _list_services(self, namespace: str) -> Object:
        listing = await self._client.list(SERVICES, namespace)
        return {"items": listing.objects()}

    async def _get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        return await self._cached((kind.resource, namespace, name), self._client.get(kind, name, namespace))

    async def _cached(self, key: tuple[str, str, str], read: Any) -> Object | None:
        held = self._objects.get(key)
        now = self._clock.monotonic()
        if held is not None and now - held[0] < FRESH_SECONDS:
            read.close()
            return held[1]
        try:
            found: Object | None = await read
        except StatusError as refusal:
            if refusal.code != 404:
                raise RuntimeFailure("FailedMount", str(refusal)) from refusal
            found = None
        except TransportError as failure:
            raise RuntimeFailure("FailedMount", str(failure)) from failure
        if len(self._objects) >= MAX_CACHED:
            del self._objects[next(iter(self._objects))]
        self._objects[key] = (now, found)
        return found

    async def token(self, pod: Pod, *, audience: str, seconds: int) -> str:
        """A token of the pod's service account that is bound to the pod."""
        key = (pod.uid, audience, str(seconds))
        held, now = self._tokens.get(key), self._clock.time()
        if held is not None and now < held[0]:
            return held[1]
        bound = {"kind": "Pod", "apiVersion": "v1", "name": pod.metadata.name, "uid": pod.uid}
        spec: Object = {"expirationSeconds": seconds, "boundObjectRef": bound}
        spec["audiences"] = [audience] if audience else []
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        account = pod.spec.service_account_name or "default"
        try:
            made = await self._client.create_sub(SERVICEACCOUNTS, account, pod.metadata.namespace, "token", body)
        except (StatusError, TransportError) as failure:
            raise RuntimeFailure("FailedMount", f"failed to fetch token: {failure}") from failure
        if len(self._tokens) >= MAX_CACHED:
            del self._tokens[next(iter(self._tokens))]
        text = str(made["status"]["token"])
        self._tokens[key] = (now + seconds * RENEW_SHARE, text)
        return text

    def forget(self, pod_uid: str) -> None:
        for key in [key for key in self._tokens if key[0] == pod_uid]:
            del self._tokens[key]
