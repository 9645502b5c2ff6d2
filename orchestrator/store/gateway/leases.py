"""etcd's leases: those of the store."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from actors import Ref, Refused
from orchestrator.store.gateway.answers import Header, Json, pruned
from orchestrator.store.gateway.kv import ASK_SECONDS
from orchestrator.store.gateway.messages import LeaseGrantRequest, LeaseRequest
from orchestrator.store.protocol import (
    LeaseGrant,
    LeaseKeepAlive,
    LeaseList,
    LeaseRevoke,
    LeaseStatus,
    StoreStatus,
)


class Leases:
    def __init__(self, store: Ref[Any], header: Header) -> None:
        self._store = store
        self._header = header

    async def grant(self, request: LeaseGrantRequest) -> Json:
        granted = await self._store.ask(LeaseGrant(float(request.TTL), request.ID), ASK_SECONDS)
        return {"header": await self._now(), **pruned(ID=granted.lease, TTL=int(granted.ttl_seconds))}

    async def revoke(self, request: LeaseRequest) -> Json:
        await self._store.ask(LeaseRevoke(request.ID), ASK_SECONDS)
        return {"header": await self._now()}

    async def keep_alive(self, request: LeaseRequest) -> Json:
        """A lease that is gone has no time to live left: etcd does not call that an error."""
        left = 0
        try:
            left = int((await self._store.ask(LeaseKeepAlive(request.ID), ASK_SECONDS)).ttl_seconds)
        except Refused as error:
            if error.code != "lease":
                raise
        return {"result": {"header": await self._now(), **pruned(ID=request.ID, TTL=left)}}

    async def time_to_live(self, request: LeaseRequest) -> Json:
        try:
            found = await self._store.ask(LeaseStatus(request.ID), ASK_SECONDS)
        except Refused as error:
            if error.code != "lease":
                raise
            return {"header": await self._now(), **pruned(ID=request.ID, TTL=-1)}
        keys = [b64encode(key.encode()).decode() for key in found.keys] if request.keys else []
        fields = pruned(ID=found.lease, TTL=int(found.left_seconds), grantedTTL=int(found.ttl_seconds), keys=keys)
        return {"header": await self._now(), **fields}

    async def leases(self, request: LeaseRequest) -> Json:
        found = await self._store.ask(LeaseList(), ASK_SECONDS)
        return {"header": await self._now(), **pruned(leases=[{"ID": str(lease)} for lease in found])}

    async def _now(self) -> Json:
        return self._header.at((await self._store.ask(StoreStatus(), ASK_SECONDS)).revision)
