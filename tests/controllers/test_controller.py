"""The base of controllers: the form that users write, stale caches, poison, pace."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from orchestrator.client.client import Client
from orchestrator.client.kinds import CONFIGMAPS, SECRETS, Kind
from orchestrator.client.view import View
from orchestrator.controllers import Apply, Controller, RequeueAt
from orchestrator.controllers.actions import Observed
from orchestrator.controllers.outcome import DONE, Outcome
from tests.controllers.stage import stage

CERTIFICATES = Kind("example.com", "v1", "certificates", "Certificate")


class Certificates(Controller, kind="certificates.example.com/v1"):
    """Every Certificate has a Secret that is valid for another seven hours."""

    owns = ("secrets",)

    def plan(self, certificate: View, observed: Observed, now: datetime) -> Any:
        held: Any = observed.secret
        if held is None or datetime.fromisoformat(held.annotations["expires"]) < now + timedelta(hours=7):
            expires = (now + timedelta(hours=90)).isoformat()
            secret = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": certificate.name, "annotations": {"expires": expires}},
            }
            return Apply(secret), RequeueAt(now + timedelta(hours=60))
        return RequeueAt(datetime.fromisoformat(held.annotations["expires"]) - timedelta(hours=7))


@pytest.mark.slow
async def test_a_controller_of_one_method_keeps_secrets_valid() -> None:
    async with stage() as s:
        await s.play(Certificates)
        obj = {"apiVersion": "example.com/v1", "kind": "Certificate", "metadata": {"name": "c", "namespace": "default"}}
        await s.client.create(CERTIFICATES, obj)
        await s.settle()
        (secret,) = await s.objects(SECRETS)
        assert secret["metadata"]["ownerReferences"][0]["kind"] == "Certificate"
        for _ in range(6):
            await s.settle(24 * 3600.0)
            (secret,) = await s.objects(SECRETS)
            left = (
                datetime.fromisoformat(secret["metadata"]["annotations"]["expires"]).timestamp() - s.system.clock.time()
            )
            assert left > 6 * 3600


class Counting(Controller, kind=CONFIGMAPS):
    seen: ClassVar[list[str]] = []

    async def reconcile(self, key: str) -> Outcome:
        Counting.seen.append(key)
        if key.endswith("poison"):
            raise ValueError("no such zone")
        return DONE


async def make(client: Client, name: str) -> None:
    metadata = {"name": name, "namespace": "default"}
    await client.create(CONFIGMAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


async def test_an_object_that_cannot_be_reconciled_fails_alone() -> None:
    Counting.seen.clear()
    async with stage() as s:
        await s.play(Counting)
        for name in ("poison", "good"):
            await make(s.client, name)
        await s.settle(2.0)
        statistics = s.actors[-1].statistics()
        assert "default/good" in Counting.seen
        assert statistics.crashed >= 3
        assert "default/poison: ValueError: no such zone" in statistics.last_error


async def test_a_paced_controller_reconciles_a_burst_twice() -> None:
    class Paced(Counting, kind=CONFIGMAPS):
        pace_seconds = 1.0

    Counting.seen.clear()
    async with stage() as s:
        await s.play(Paced)
        await make(s.client, "busy")
        for number in range(50):
            await s.client.patch(CONFIGMAPS, "busy", "default", {"data": {"n": str(number)}})
        await s.settle(5.0)
        assert Counting.seen == ["default/busy"] * 2
