"""One of many leads: who holds the Lease runs the child, who loses it stops the child before another may start.

The times are client-go's. Holding is judged by our own clock since we saw the holder's last renewal, never by the times
that the Lease bears, so clocks may differ between the candidates.
"""

from __future__ import annotations

import asyncio
from typing import Any

from actors import Actor, Ref, Tell
from actors.supervision import ChildSpec
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.timestamps import rfc3339_micro
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import LEASES

LEASE_SECONDS = 15.0
"""A holder that has not renewed for so long may be replaced."""
RENEW_SECONDS = 10.0
"""A holder that could not renew for so long stops leading."""
RETRY_SECONDS = 2.0
"""Between attempts to acquire or renew."""
RELEASE_SECONDS = 2.0
"""Who stops lets the next one lead at once, if the API answers so soon."""


class Attempt(Tell):
    """Acquire or renew."""


class Outcome(Tell):
    """Of the attempt that began at ``asked``; ``held`` None: it is not known."""

    asked: float
    held: bool | None


class Expire(Tell):
    """The renewal at ``renewed`` is too old to go on with, unless there was another since."""

    renewed: float


class Election(Actor):
    """Keeps ``spec``'s actor alive while ``identity`` holds the lease ``namespace/name``."""

    def __init__(self, client: Client, namespace: str, name: str, identity: str, spec: ChildSpec) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._spec = spec
        self._child: Ref[Any] | None = None
        self._renewed = 0.0
        self._seen: tuple[str, str] = ("", "")
        """The holder and renewal that was last seen, which is what ages."""
        self._seen_at = 0.0

    async def start(self) -> None:
        self.context.ref.tell_nowait(Attempt())

    async def receive(self, message: Any) -> None:
        match message:
            case Attempt():
                # Beside the mailbox: a server that does not answer must not keep a leader from stepping down.
                self.context.task(self._attempt(self.context.clock.monotonic()), "attempt")
            case Outcome(asked=asked, held=held):
                await self._concluded(asked, held)
            case Expire(renewed=renewed):
                if renewed == self._renewed:
                    await self._follow(False)

    async def stop(self, exit: Any) -> None:
        if self._child is None:
            return
        try:
            await asyncio.wait_for(self._release(), RELEASE_SECONDS)
        except TimeoutError:
            return  # the lease runs out by itself

    @property
    def leading(self) -> bool:
        return self._child is not None

    async def _attempt(self, asked: float) -> None:
        held: bool | None = None
        try:
            held = await self._acquire(asked)
        except (StatusError, TransportError) as failure:
            self.context.log.info("lease not written", lease=self._name, reason=str(failure))
        await self.context.ref.tell(Outcome(asked, held))

    async def _concluded(self, asked: float, held: bool | None) -> None:
        late = self.context.clock.monotonic() - asked
        if held and late < RENEW_SECONDS:
            self._renewed = asked
            self.context.send_after(RENEW_SECONDS - late, Expire(asked))
            await self._follow(True)
        elif held is False:
            await self._follow(False)
        source = self.context.random.random()
        self.context.send_after(RETRY_SECONDS * (1.0 if self.leading else 1.0 + 0.2 * source), Attempt())

    async def _follow(self, held: bool) -> None:
        if held and self._child is None:
            self._child = await self.context.spawn(self._spec, name="leader")
        elif not held and self._child is not None:
            child, self._child = self._child, None
            await self.context.stop_child(child)

    async def _acquire(self, now: float) -> bool:
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace)
        except StatusError as refused:
            if refused.code != 404:
                raise
            await self._client.create(LEASES, self._lease({}, transitions=0))
            return True
        spec: Object = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if (holder, spec.get("renewTime", "")) != self._seen:
            # From the answer on, not from the question: one that was long under way shows what was renewed meanwhile.
            self._seen = (holder, spec.get("renewTime", ""))
            self._seen_at = self.context.clock.monotonic()
        if holder not in ("", self._identity) and now - self._seen_at < spec.get("leaseDurationSeconds", LEASE_SECONDS):
            return False
        transitions = spec.get("leaseTransitions", 0) + (holder != self._identity)
        await self._client.update(LEASES, {**self._lease(spec, transitions=transitions), "metadata": lease["metadata"]})
        return True

    async def _release(self) -> None:
        """Let the next one lead at once."""
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace)
            if (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                spec = {**lease["spec"], "leaseDurationSeconds": 1}
                del spec["holderIdentity"]  # nobody holds it: an empty name is refused
                await self._client.update(LEASES, {**lease, "spec": spec})
        except (StatusError, TransportError):
            return

    def _lease(self, spec: Object, *, transitions: int) -> Object:
        now = rfc3339_micro(self.context.clock.time())
        same = spec.get("holderIdentity") == self._identity
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": int(LEASE_SECONDS),
                "acquireTime": spec.get("acquireTime", now) if same else now,
                "renewTime": now,
                "leaseTransitions": transitions,
            },
        }
