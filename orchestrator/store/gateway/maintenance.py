"""Status, members, alarms, snapshots: what etcd's tools ask of a server beside its keys."""

from __future__ import annotations

import asyncio
import os
import tempfile
from base64 import b64encode
from typing import Any

import orjson

from actors import Ref
from orchestrator.store.gateway.answers import Header, Json, pruned
from orchestrator.store.gateway.http import Request
from orchestrator.store.gateway.kv import ASK_SECONDS
from orchestrator.store.gateway.messages import QuotaRequest
from orchestrator.store.protocol import SaveSnapshot, SetQuota, SnapshotReply, StatusReply, StoreStatus

VERSION = "3.4.0"
"""The version of etcd whose gateway this is like."""
PIECE_BYTES = 256 << 10
SNAPSHOT_SECONDS = 600.0


class Maintenance:
    def __init__(self, store: Ref[Any], header: Header, url: str) -> None:
        self._store = store
        self._header = header
        self._url = url

    async def status(self) -> Json:
        found = await self._status()
        header = self._header.at(found.revision)
        alarms = [f"memberID:{header['member_id']} alarm:NOSPACE"] if found.full else []
        return {
            "header": header,
            "version": VERSION,
            **pruned(
                dbSize=found.used_bytes,
                leader=header["member_id"],
                raftIndex=found.raft_index,
                raftTerm=found.raft_term,
                raftAppliedIndex=found.raft_index,
                dbSizeInUse=found.used_bytes,
                errors=alarms,
            ),
        }

    async def members(self) -> Json:
        found = await self._status()
        header = self._header.at(found.revision)
        member = {"ID": header["member_id"], "name": found.member, "peerURLs": [], "clientURLs": [self._url]}
        return {"header": header, "members": [member]}

    async def alarms(self) -> Json:
        found = await self._status()
        header = self._header.at(found.revision)
        alarms = [{"memberID": header["member_id"], "alarm": "NOSPACE"}] if found.full else []
        return {"header": header, **pruned(alarms=alarms)}

    async def quota(self, request: QuotaRequest) -> Json:
        await self._store.ask(SetQuota(request.quota_bytes), ASK_SECONDS)
        return {"header": self._header.at((await self._status()).revision)}

    async def defragment(self) -> Json:
        """The log is rewritten by its own snapshots; there is nothing to wait for."""
        return {"header": self._header.at((await self._status()).revision)}

    async def snapshot(self, request: Request) -> None:
        """A stream of pieces of the file that ``SaveSnapshot`` writes."""
        with tempfile.TemporaryDirectory(prefix="podium-snapshot-") as folder:
            path = os.path.join(folder, "snapshot")
            saved: SnapshotReply = await self._store.ask(SaveSnapshot(path), SNAPSHOT_SECONDS)
            header, left = self._header.at(saved.revision), saved.bytes
            request.connection.begin(request)
            with await asyncio.to_thread(open, path, "rb") as file:
                while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                    left -= len(piece)
                    result = {"header": header, **pruned(remaining_bytes=left, blob=b64encode(piece).decode())}
                    request.connection.piece(orjson.dumps({"result": result}) + b"\n")
                    await request.connection.taken()
            request.connection.end(request)

    async def _status(self) -> StatusReply:
        found: StatusReply = await self._store.ask(StoreStatus(), ASK_SECONDS)
        self._header.term = found.raft_term
        return found
