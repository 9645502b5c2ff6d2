"""Status, members, alarms, snapshots: what etcd's tools ask of a server beside its keys."""

from __future__ import annotations

import asyncio
import os
import tempfile
from base64 import b64encode
from typing import Any

import orjson

from actors import Ref
from orchestrator.store.gateway.answers import Header, Json, member_id, pruned
from orchestrator.store.gateway.http import Request
from orchestrator.store.gateway.kv import ASK_SECONDS
from orchestrator.store.gateway.messages import MemberAddRequest, MemberRequest, MoveLeaderRequest, QuotaRequest
from orchestrator.store.protocol import (
    MemberAdd,
    MemberList,
    MemberPromote,
    MemberRemove,
    MemberReply,
    MoveLeader,
    SaveSnapshot,
    SetQuota,
    SnapshotReply,
    StatusReply,
    StoreStatus,
)

ALONE = "local"
"""What the only member is called."""
CHANGE_SECONDS = 15.0
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
                leader=member_id(found.leader),
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
        if found.member == ALONE:
            member = {"ID": header["member_id"], "name": found.member, "peerURLs": [], "clientURLs": [self._url]}
            return {"header": header, "members": [member]}
        listed = await self._store.ask(MemberList(), ASK_SECONDS)
        return {"header": header, "members": [_member(member) for member in listed]}

    async def add_member(self, asked: MemberAddRequest) -> Json:
        """Always a learner at first: a member that has nothing yet must not be counted on."""
        listed = await self._store.ask(MemberList(), ASK_SECONDS)
        number = max(member.member for member in listed) + 1
        await self._store.ask(MemberAdd(number, " ".join(asked.peer_urls)), CHANGE_SECONDS)
        return {"member": {"ID": str(number), "peerURLs": asked.peer_urls, "isLearner": True}, **await self.members()}

    async def promote_member(self, asked: MemberRequest) -> Json:
        await self._store.ask(MemberPromote(asked.id), CHANGE_SECONDS)
        return await self.members()

    async def remove_member(self, asked: MemberRequest) -> Json:
        await self._store.ask(MemberRemove(asked.id), CHANGE_SECONDS)
        return await self.members()

    async def move_leader(self, asked: MoveLeaderRequest) -> Json:
        await self._store.ask(MoveLeader(asked.target_id), CHANGE_SECONDS)
        return {"header": self._header.at((await self._status()).revision)}

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


def _member(member: MemberReply) -> Json:
    urls = [member.address] if member.address else []
    told = {"ID": str(member.member), "name": f"member-{member.member}", "peerURLs": urls, "clientURLs": []}
    return {**told, **pruned(isLearner=not member.voter, leader=member.leader, protocol=member.protocol)}
