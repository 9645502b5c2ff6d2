"""The state of a store as a file, and a store from such a file, while no store runs."""

from __future__ import annotations

import os

import msgspec

from orchestrator.raft.config import Config
from orchestrator.raft.entry import HardState, Mark
from orchestrator.store import snapshot_file
from orchestrator.store.history import History
from orchestrator.store.machine import Machine
from orchestrator.store.replica import Replica
from orchestrator.store.sealing import Keyring, SealedLog
from orchestrator.store.snapshot import Loading, dump
from orchestrator.store.sqlite_log import SqliteLog

Path = str | os.PathLike[str]


class State(msgspec.Struct, frozen=True):
    """What a snapshot holds, in figures; ``bytes`` of its file."""

    revision: int
    keys: int
    bytes: int


async def save_offline(path: str, target: Path, keys: Keyring | None = None) -> int:
    """Write the state of the stopped store whose log is ``path``; the bytes of the file. Raises ``LogError``."""
    replica = Replica(SealedLog(SqliteLog(path), keys))
    try:
        await replica.open()
        while await replica.perform(lambda ready, done: None, lambda: None):
            pass
        return snapshot_file.write(target, snapshot_file.frame(dump(replica.machine)))
    finally:
        await replica.close()


def describe(source: Path) -> State:
    """Read all of it. Raises ``SnapshotDamaged``, ``Unreadable``."""
    machine = _load(source)
    return State(machine.revision, len(machine.live), os.path.getsize(source))


async def restore(path: str, source: Path, bump_revision: int = 0) -> State:
    """Make a log at ``path``, where none is, that begins with the snapshot's state as a group of one.

    With ``bump_revision`` it begins so many revisions later, all of them compacted: watches that began after the
    snapshot was taken are told to list again, and not left waiting for revisions that come a second time.
    """
    state, machine = describe(source), _load(source)
    machine.config = Config()
    if bump_revision:
        machine.revision += bump_revision
        machine.history = _compacted(machine)
    log = SqliteLog(path)
    try:
        await log.open()
        await log.save_snapshot(Mark(1, 1), dump(machine))
        await log.append(HardState(1, 0, 1), [])
    finally:
        await log.close()
    return State(machine.revision, state.keys, state.bytes)


def _load(source: Path) -> Machine:
    snapshot_file.verify(source)
    loading = Loading()
    for chunk in snapshot_file.read(source):
        loading.add(chunk)
    return loading.finish()


def _compacted(machine: Machine) -> History:
    """A history that begins now."""
    history = History(machine.live, machine.revision)
    for value in machine.live.values():
        history.count(value)
    return history
