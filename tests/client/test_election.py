"""Of many one leads, and whoever cannot renew stops in time, whether it is refused or not answered at all."""

from __future__ import annotations

from typing import Any

from actors import Actor, System, child
from orchestrator import Cluster
from orchestrator.client.client import Client
from orchestrator.client.election import LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS, Election
from orchestrator.client.kinds import LEASES
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Request, Response
from orchestrator.identities import MASTERS


class Worker(Actor):
    async def receive(self, message: Any) -> None: ...


class Mute(MailboxTransport):
    """Once it is ``silent`` the server's answers do not come, as from a member that lost the others."""

    silent = False

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster.api, MASTERS)
        self._clock = cluster.system.clock

    async def request(self, request: Request) -> Response:
        while self.silent:
            await self._clock.sleep(1.0)
        return await super().request(request)


def leading(system: System, name: str) -> bool:
    return f"{name}/leader" in system.cells


async def stand(cluster: Cluster, name: str) -> Mute:
    transport = Mute(cluster)
    client = Client(transport)
    await cluster.system.spawn(lambda: Election(client, "default", "part", name, child(Worker)), name=name)
    return transport


async def test_of_two_candidates_one_leads_and_the_other_follows_when_it_is_gone() -> None:
    async with Cluster(clock="virtual") as cluster:
        await stand(cluster, "one")
        await cluster.advance(1)
        await stand(cluster, "two")
        await cluster.advance(60)
        assert (leading(cluster.system, "one"), leading(cluster.system, "two")) == (True, False)
        await cluster.system.stop_actor(cluster.system.ref("one"))
        await cluster.advance(2 * RETRY_SECONDS)
        assert leading(cluster.system, "two")
        assert (await cluster.client.get(LEASES, "part", "default"))["spec"]["holderIdentity"] == "two"


async def test_a_leader_that_gets_no_answer_stops_before_another_may_lead() -> None:
    async with Cluster(clock="virtual") as cluster:
        one = await stand(cluster, "one")
        await cluster.advance(1)
        await stand(cluster, "two")
        await cluster.advance(10)
        one.silent = True
        await cluster.advance(RENEW_SECONDS + 0.1)
        assert (leading(cluster.system, "one"), leading(cluster.system, "two")) == (False, False)
        await cluster.advance(LEASE_SECONDS - RENEW_SECONDS + 2 * RETRY_SECONDS)
        assert (leading(cluster.system, "one"), leading(cluster.system, "two")) == (False, True)
        one.silent = False
        await cluster.advance(60)
        assert (leading(cluster.system, "one"), leading(cluster.system, "two")) == (False, True)


async def test_a_renewal_counts_from_when_it_was_seen_not_from_when_it_was_asked_for() -> None:
    """Found by the swarm, seeds 3435 and 7516: an answer that was seventeen seconds under way made two leaders."""
    async with Cluster(clock="virtual") as cluster:
        one = await stand(cluster, "one")
        await cluster.advance(1)
        two = await stand(cluster, "two")
        await cluster.advance(10)
        two.silent = True
        await cluster.advance(LEASE_SECONDS + 2 * RETRY_SECONDS)
        two.silent = False
        await cluster.advance(1.0)  # the answer that it waited for: the last renewal is a second old at most
        one.silent = True
        await cluster.advance(2 * RETRY_SECONDS)
        assert (leading(cluster.system, "one"), leading(cluster.system, "two")) == (True, False)
