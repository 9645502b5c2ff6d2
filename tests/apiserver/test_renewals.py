"""A renewal cast from a mould is byte for byte what the whole way makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.apiserver.moulds import Moulds
from orchestrator.apiserver.verbs import patch as verb
from orchestrator.client.protocol import Options, Response
from tests.apiserver.desk import Desk, body_of, desk
from tests.apiserver.test_moulds import Still

MOMENT = "2026-01-01T00:00:00.{:06}Z"


@pytest.fixture(autouse=True)
def moulds(monkeypatch: pytest.MonkeyPatch) -> Moulds[Any]:
    made: Moulds[Any] = Moulds()
    monkeypatch.setattr(verb, "renewals", made)
    return made


@pytest.fixture
def whole_ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what took the whole way."""
    names: list[str] = []
    patch = verb._patch

    def counted(env: Any, call: Any, current: Any) -> Any:
        names.append(call.name)
        return patch(env, call, current)

    monkeypatch.setattr(verb, "_patch", counted)
    return names


async def lease(api: Desk, name: str, **more: Any) -> None:
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": f"uid of {name}"}
    spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": "2025-12-31T23:59:50.000000Z", **more}
    metadata = {"name": name, "ownerReferences": [owner]}
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
    made = await api.create("leases", body)
    assert made.code == 201


async def renew(api: Desk, name: str, renewed: Any, **more: Any) -> Response:
    return await api.patch("leases", name, {"spec": {"renewTime": renewed}}, **more)


async def test_the_second_renewal_of_a_second_is_cast_and_is_what_the_whole_way_makes(
    whole_ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(clock=Still()) as api:
        for name in ("a", "node-of-a-longer-name-than-fits-one-byte", "c"):
            await lease(api, name)
        await renew(api, "a", MOMENT.format(1))
        cast = await renew(api, "node-of-a-longer-name-than-fits-one-byte", MOMENT.format(2))
        assert whole_ways == ["a"]
        monkeypatch.setattr(verb, "renewal_of", lambda call, current: None)
        whole = await renew(api, "c", MOMENT.format(2))
        assert whole_ways == ["a", "c"]
        left, right = body_of(cast), body_of(whole)
        assert left["spec"]["renewTime"] == MOMENT.format(2)
        for own in ("uid", "resourceVersion"):
            left["metadata"][own] = right["metadata"][own]
        assert json.dumps(left).replace("node-of-a-longer-name-than-fits-one-byte", "c") == json.dumps(right)


async def test_a_lease_is_renewed_again_and_again_from_moulds(whole_ways: list[str]) -> None:
    async with desk(clock=Still()) as api:
        for name in ("a", "b"):
            await lease(api, name)
        for number in range(1, 4):
            for name in ("a", "b"):
                answer = await renew(api, name, MOMENT.format(number))
                assert body_of(answer)["spec"] == {
                    "holderIdentity": name,
                    "leaseDurationSeconds": 40,
                    "renewTime": MOMENT.format(number),
                }
        assert "b" not in whole_ways


@pytest.mark.parametrize("renewed", ["2026-01-01T00:00:00.00000xZ", "2026-13-01T00:00:00.000002Z", 7])
async def test_what_is_no_time_is_refused_behind_a_mould_too(renewed: Any) -> None:
    async with desk(clock=Still()) as api:
        for name in ("a", "b"):
            await lease(api, name)
        assert (await renew(api, "a", MOMENT.format(1))).code == 200
        assert (await renew(api, "b", renewed)).code == 422


async def test_who_differs_in_more_than_the_holder_takes_the_whole_way(whole_ways: list[str]) -> None:
    async with desk(clock=Still()) as api:
        await lease(api, "a")
        await lease(api, "b", leaseTransitions=3)
        await lease(api, "c")
        await renew(api, "a", MOMENT.format(1))
        assert body_of(await renew(api, "b", MOMENT.format(1)))["spec"]["leaseTransitions"] == 3
        assert (await renew(api, "c", MOMENT.format(1), options=Options(dry_run=True))).code == 200
        assert whole_ways == ["a", "b", "c"]


async def test_a_renewal_that_changes_nothing_makes_no_revision() -> None:
    async with desk(clock=Still()) as api:
        await lease(api, "a")
        first = await renew(api, "a", MOMENT.format(1))
        again = await renew(api, "a", MOMENT.format(1))
        assert again.revision == first.revision
