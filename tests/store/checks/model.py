"""A second, simpler state machine: what the committed commands mean, and what everybody must have been answered."""

from __future__ import annotations

from orchestrator.raft.config import decode_config
from orchestrator.raft.entry import Entry
from orchestrator.store.commands import Command, Grant, Revoke, Transact, Write, decode_command
from orchestrator.store.machine import Applied, Machine
from orchestrator.store.protocol import BatchReply, Change, TxnReply
from tests.store.checks import Violation

Event = tuple[int, str, bool]
"""Revision, key, and whether it was deleted."""
Outcomes = tuple[int, list[tuple[str, int]]]
"""The reply's revision, and of each change its outcome and revision."""


class Model:
    """``events``: every change, in order. ``replies``: by request id."""

    def __init__(self) -> None:
        self.revision = 0
        self.live: dict[str, tuple[bytes, int, int]] = {}
        """Value, mod revision, lease."""
        self.events: list[Event] = []
        self.replies: dict[str, Outcomes] = {}
        self.repeated = 0
        """Proposals that stood in the log before."""
        self.values: dict[int, dict[str, bytes | None]] = {0: {}}
        """What each revision changed."""
        self._leases: set[int] = set()
        self._granted = 0

    def apply(self, command: Command) -> Outcomes | None:
        match command:
            case Write() | Transact():
                if command.request_id not in self.replies:
                    changes = command.changes if isinstance(command, Write) else command.success
                    answer = self._write(changes) if isinstance(command, Write) else self._transact(changes)
                    if not command.request_id:
                        return answer
                    self.replies[command.request_id] = answer
                else:
                    self.repeated += 1
                return self.replies[command.request_id]
            case Grant():
                self._granted += 1
                self._leases.add(self._granted)
            case Revoke():
                self._revoke(command.lease)
            case _:
                pass
        return None

    def _write(self, changes: list[Change]) -> Outcomes:
        results = []
        for change in changes:
            refused = self._refusal(change)
            if refused is None:
                self.revision += 1
                self._do(change)
            results.append(refused or ("DONE", self.revision))
        return self.revision, results

    def _transact(self, changes: list[Change]) -> Outcomes:
        refusals = [self._refusal(change) for change in changes]
        if any(refusals):
            return self.revision, [refused or ("DONE", 0) for refused in refusals]
        self.revision += 1
        for change in changes:
            self._do(change)
        return self.revision, [("DONE", self.revision) for _ in changes]

    def _refusal(self, change: Change) -> tuple[str, int] | None:
        stands = self.live.get(change.key)
        revision = stands[1] if stands else 0
        if change.expect is not None and change.expect != revision:
            return "CONFLICT", revision
        if change.parts is None and stands is None:
            return "MISSING", 0
        if change.parts is not None and change.lease and change.lease not in self._leases:
            return "NO_LEASE", revision
        return None

    def _do(self, change: Change) -> None:
        value = change.parts[0] if change.parts else None
        if value is None:
            del self.live[change.key]
        else:
            self.live[change.key] = (value, self.revision, change.lease)
        self.events.append((self.revision, change.key, value is None))
        self.values.setdefault(self.revision, {})[change.key] = value

    def _revoke(self, lease: int) -> None:
        if lease not in self._leases:
            return
        self._leases.discard(lease)
        keys = sorted(key for key, (_, _, held) in self.live.items() if held == lease)
        if keys:
            self.revision += 1
            for key in keys:
                self._do(Change(key, None))


def replay(committed: dict[int, Entry], first: dict[int, Applied | None]) -> Model:
    """The meaning of the log. Raises ``Violation`` where the product's machine made something else of it."""
    model = Model()
    for index in range(1, max(committed, default=0) + 1):
        entry = committed.get(index)
        if entry is None:
            raise Violation(f"entry {index} was never applied, a later one was")
        if not entry.payload or decode_config(entry.payload) is not None:
            continue
        expected = model.apply(decode_command(entry.payload))
        applied = first[index]
        if expected is None or applied is None:
            continue
        reply = applied.reply
        assert isinstance(reply, BatchReply | TxnReply), f"entry {index} is answered with {reply}"
        found = (reply.revision, [(result.outcome.name, result.revision) for result in reply.results])
        if found != expected:
            raise Violation(f"entry {index}: the machine says {found}, the model {expected}")
    return model


def agree(model: Model, member: int, machine: Machine) -> None:
    """Whether a member that applied everything holds what the model holds."""
    found = {key: (value.parts[0], value.mod_revision, value.lease) for key, value in machine.live.items()}
    if machine.revision != model.revision or found != model.live:
        raise Violation(
            f"member {member} ends at revision {machine.revision} with {found}, the model at {model.revision} with"
            f" {model.live}"
        )
