"""A status cast from a mould is byte for byte what the whole way makes of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.clock import LoopClock
from orchestrator.apimachinery.encoded import Encoded
from orchestrator.apiserver.moulds import Moulds
from orchestrator.apiserver.verbs import status as verb
from orchestrator.client.protocol import Response
from tests.apiserver.desk import Desk, body_of, desk, pod

SECOND = "2026-01-01T00:00:00Z"


class Still(LoopClock):
    """All writes of a test are of one second."""

    def __init__(self) -> None:
        super().__init__()
        self.time = lambda: 1_767_225_600.0


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "moulds", Moulds())


@pytest.fixture
def whole_ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what took the whole way."""
    names: list[str] = []
    prepare = verb._prepare

    def counted(env: Any, call: Any, *args: Any, **more: Any) -> Any:
        names.append(call.name)
        return prepare(env, call, *args, **more)

    monkeypatch.setattr(verb, "_prepare", counted)
    return names


def status(uid: str, address: str, **more: Any) -> dict[str, Any]:
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": SECOND}],
        "hostIP": "10.0.0.1",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "qosClass": "BestEffort",
        "containerStatuses": [
            {
                "name": "c",
                "image": "i",
                "imageID": "i",
                "ready": True,
                "restartCount": 0,
                "containerID": f"sim://{uid}.c.0",
                "state": {"running": {"startedAt": SECOND}},
                "lastState": {},
            }
        ],
        **more,
    }


async def written(api: Desk, name: str, address: str, **more: Any) -> Response:
    """The answer to a status of a new pod that is sent with its metadata as it was read."""
    made = body_of(await api.create("pods", pod(name)))
    return await api.update("pods", made | {"status": status(made["metadata"]["uid"], address, **more)}, "status")


async def whole_way(api: Desk, name: str, address: str, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Response:
    with monkeypatch.context() as patched:
        patched.setattr(verb, "cast_of", lambda *_: None)
        return await written(api, name, address, **more)


def comparable(answer: Response, name: str) -> str:
    assert isinstance(answer.object, Encoded)
    obj = answer.object.decode()
    uid, revision = obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
    text = msgspec.json.encode(obj).decode()
    return text.replace(uid, "UID").replace(f'"{revision}"', "REVISION").replace(f'"{name}"', "NAME")


@pytest.mark.parametrize("address", ["10.0.0.7", "10.64.200.13", "255.255.255.255", "10.0.0.1"])
async def test_a_cast_status_is_what_the_whole_way_makes(
    address: str, monkeypatch: pytest.MonkeyPatch, whole_ways: list[str]
) -> None:
    async with desk(clock=Still()) as api:
        slow = await whole_way(api, "slow", address, monkeypatch)
        await written(api, "first", address)
        cast = await written(api, "second", address)
        assert whole_ways == ["slow", "first"]
        assert comparable(cast, "second") == comparable(slow, "slow")


async def test_pods_of_one_template_share_a_mould_whatever_their_addresses(whole_ways: list[str]) -> None:
    async with desk(clock=Still()) as api:
        for number in (2, 20, 200):
            answer = await written(api, f"p{number}", f"10.64.{number}.9")
            entry = next(e for e in body_of(answer)["metadata"]["managedFields"] if e.get("subresource") == "status")
            assert f'k:{{"ip":"10.64.{number}.9"}}' in entry["fieldsV1"]["f:status"]["f:podIPs"]
        assert whole_ways == ["p2"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"podIP": 7}, 400),
        ({"containerStatuses": 3}, 400),
        ({"unknown": "x"}, 200),
        ({"podIP": "no address"}, 200),
    ],
)
async def test_what_is_wrong_with_a_status_is_told_after_a_good_one(more: dict[str, Any], code: int) -> None:
    async with desk(clock=Still()) as api:
        await written(api, "good", "10.0.0.7")
        answer = await written(api, "other", "10.0.0.7", **more)
        assert answer.code == code
        if code == 200:
            assert "unknown" not in body_of(answer)["status"]


async def test_a_second_status_of_each_pod_is_cast_too(whole_ways: list[str]) -> None:
    async with desk(clock=Still()) as api:
        held = [body_of(await written(api, name, f"10.0.0.1{name[1:]}")) for name in ("p1", "p22")]
        for obj in held:
            obj["status"]["phase"] = "Failed"
            answer = await api.update("pods", obj, "status")
            assert body_of(answer)["status"]["phase"] == "Failed"
            assert body_of(answer)["status"]["podIP"] == obj["status"]["podIP"]
        assert whole_ways == ["p1", "p1"]


async def test_a_status_that_is_written_already_is_not_written_again() -> None:
    async with desk(clock=Still()) as api:
        first = body_of(await written(api, "a", "10.0.0.7"))
        await written(api, "b", "10.0.0.8")
        again = await api.update("pods", first, "status")
        assert str(again.revision) == first["metadata"]["resourceVersion"]


async def test_a_pod_that_is_being_deleted_takes_the_whole_way() -> None:
    async with desk(clock=Still()) as api:
        await written(api, "good", "10.0.0.7")
        made = pod("going")
        made["metadata"]["finalizers"] = ["example.com/hold"]
        await api.create("pods", made)
        await api.delete("pods", "going")
        obj = await api.get("pods", "going")
        obj["status"] = status(obj["metadata"]["uid"], "10.0.0.9")
        answer = body_of(await api.update("pods", obj, "status"))
        assert answer["metadata"]["deletionTimestamp"]
        assert answer["status"]["podIP"] == "10.0.0.9"
