"""etcd's answers in the JSON of its gateway: numbers as text, bytes in base64, what is zero or empty left out."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from orchestrator.store.protocol import Value

FIRST_REVISION = 1
"""etcd's empty store stands at revision 1, ours at 0: all revisions are moved by this."""

Json = dict[str, Any]


class Header:
    """Who answers: the ids are text already, the term follows the store's."""

    def __init__(self, cluster: int, member: int) -> None:
        self.term = 1
        self._cluster = str(cluster)
        self._member = str(member)
        self._bytes = (0, b"")

    def at(self, revision: int) -> Json:
        """``revision`` is the store's own."""
        return {
            "cluster_id": self._cluster,
            "member_id": self._member,
            "revision": str(revision + FIRST_REVISION),
            "raft_term": str(self.term),
        }

    def put(self, revision: int) -> bytes:
        """The whole answer to a put, which is nothing but the header."""
        term, begin = self._bytes
        if term != self.term:
            begin = b'{"header":{"cluster_id":"%s","member_id":"%s","revision":"' % (
                self._cluster.encode(),
                self._member.encode(),
            )
            self._bytes = (self.term, begin)
        return b'%s%d","raft_term":"%d"}}' % (begin, revision + FIRST_REVISION, self.term)


def member_id(name: str) -> int:
    """Of one of several its number among them; 0 for nobody."""
    _, _, member = name.rpartition("member-")
    return int(member) if member.isdigit() else id_of(name) if name else 0


def id_of(name: str) -> int:
    """A number for a name, as etcd's ids are."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 1


def key_value(value: Value, *, keys_only: bool = False) -> Json:
    made: Json = {
        "key": b64encode(value.key.encode()).decode(),
        "create_revision": str(value.create_revision + FIRST_REVISION),
        "mod_revision": str(value.mod_revision + FIRST_REVISION),
        "version": str(value.version),
    }
    content = b"" if keys_only else content_of(value)
    if content:
        made["value"] = b64encode(content).decode()
    if value.lease:
        made["lease"] = str(value.lease)
    return made


def content_of(value: Value) -> bytes:
    """A value as one string of bytes: its parts joined."""
    return value.parts[0] if len(value.parts) == 1 else b"".join(value.parts)


def pruned(**fields: Any) -> Json:
    """Without what is zero or empty, as proto3's JSON leaves it out; numbers become text."""
    return {
        name: str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in fields.items()
        if value
    }


def key_values(values: Iterable[Value], *, keys_only: bool = False) -> list[Json]:
    return [key_value(value, keys_only=keys_only) for value in values]
