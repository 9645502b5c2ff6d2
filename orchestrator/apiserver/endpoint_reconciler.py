"""Every API server keeps its own address in ``default/kubernetes``, and leaves out those that are gone.

As the lease endpoint reconciler of kube-apiserver (``pkg/controlplane/reconcilers/lease.go``): each server holds a key
under ``masterleases/`` that ends with a lease of the store, and all make the same Endpoints and EndpointSlices of the
keys that there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from actors import Clock
from orchestrator.apimachinery.encoded import Object, encode
from orchestrator.apimachinery.meta import rfc3339
from orchestrator.apiserver.bootstrap.endpoints import NAME, NAMESPACE, Server, api_endpoints
from orchestrator.apiserver.cause import cause_of
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.storage import Storage, encoded_of
from orchestrator.store.protocol import Change, Value

MASTER_LEASES = "masterleases/"
"""Before ``PORT/ADDRESS`` of a server."""
TTL_SECONDS = 15.0
RECONCILE_SECONDS = 10.0
"""Both as kube-apiserver's: a server that died is left out after 15 to 25 s."""
ENDPOINTS = object_key("", "endpoints", NAMESPACE, NAME)
SLICES = object_key("discovery.k8s.io", "endpointslices", NAMESPACE, NAME)
OWN_NAMES = re.compile(rf"{NAME}(-\d+-ipv[46])?")


class EndpointReconciler:
    """One per API server, whose address ``own`` is. ``uid`` makes those of new objects."""

    def __init__(self, storage: Storage, clock: Clock, own: Server, uid: Callable[[], str]) -> None:
        self._storage = storage
        self._clock = clock
        self._own = own
        self._uid = uid
        self._lease = 0

    async def alone(self) -> None:
        """For a cluster with one API server: what another address left is corrected. Raises ``StatusError``."""
        await self._write([self._own])

    async def reconcile(self) -> None:
        """To be called every ``RECONCILE_SECONDS``. Raises ``StatusError``."""
        fresh = not (self._lease and await self._storage.keep_alive(self._lease))
        if fresh:
            self._lease = await self._storage.grant(TTL_SECONDS)
        servers = await self._servers()
        if fresh or self._own not in servers:  # one that bore this address before may have left its key a while longer
            await self._storage.commit([Change(_key(self._own), (b"",), lease=self._lease)])
        await self._write(sorted({self._own, *servers}))

    async def withdraw(self) -> None:
        """The server stops: the others need not wait for its lease. The last one stays. Raises ``StatusError``."""
        lease, self._lease = self._lease, 0
        if lease:
            await self._storage.revoke(lease)
            if servers := await self._servers():
                await self._write(servers)

    async def _servers(self) -> list[Server]:
        found = (await self._storage.range(MASTER_LEASES)).values
        return [_server(value.key) for value in found]

    async def _write(self, servers: Sequence[Server]) -> None:
        """A conflict is another server that does the same: the next round sees to what is left."""
        standing = [*(await self._storage.get([ENDPOINTS])).values, *(await self._storage.range(SLICES)).values]
        known = {value.key: value for value in standing if value is not None and _ours(value)}
        changes = plan(api_endpoints(servers), known, rfc3339(self._clock.time()), self._uid)
        if changes:
            await self._storage.commit(changes)


def plan(wanted: Sequence[Object], standing: Mapping[str, Value], stamp: str, uid: Callable[[], str]) -> list[Change]:
    """What makes of ``standing`` what is wanted: nothing, mostly."""
    cause = cause_of(None, "endpoint-reconciler")
    changes = []
    keys = set()
    for obj in wanted:
        key = _object_key(obj)
        keys.add(key)
        value = standing.get(key)
        if value is None:
            metadata = obj["metadata"] | {"uid": uid(), "creationTimestamp": stamp}
            changes.append(Change(key, encode(obj | {"metadata": metadata}).parts(), expect=0, cause=cause))
            continue
        held = encoded_of(value)
        if held.decode_rest() != {name: part for name, part in obj.items() if name != "metadata"}:
            metadata = held.decode_metadata()
            if "generation" in metadata:
                metadata["generation"] += 1
            parts = encode(obj | {"metadata": metadata}).parts()
            changes.append(Change(key, parts, expect=value.mod_revision, cause=cause))
    for key, value in standing.items():
        if key not in keys:
            changes.append(Change(key, None, expect=value.mod_revision, cause=cause))
    return changes


def _object_key(obj: Object) -> str:
    group, _, _ = obj["apiVersion"].rpartition("/")
    plural = "endpoints" if obj["kind"] == "Endpoints" else "endpointslices"
    return object_key(group, plural, NAMESPACE, obj["metadata"]["name"])


def _ours(value: Value) -> bool:
    """Whether it is of these objects, and not a slice of a Service whose name begins like this one's."""
    return OWN_NAMES.fullmatch(value.key.rpartition("/")[2]) is not None


def _key(server: Server) -> str:
    return f"{MASTER_LEASES}{server.port}/{server.address}"


def _server(key: str) -> Server:
    port, _, address = key.removeprefix(MASTER_LEASES).partition("/")
    return Server(int(port), address)
