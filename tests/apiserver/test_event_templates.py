"""An event made from a template is what the whole way makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.apiserver.event_templates import EventTemplates
from orchestrator.client.protocol import Response
from tests.apiserver.desk import Desk, body_of, desk
from tests.apiserver.test_moulds import Still

SECOND = "2026-01-01T00:00:00Z"


@pytest.fixture
def hits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was made from a template."""
    names: list[str] = []
    write = EventTemplates.write

    def counted(self: EventTemplates, env: Any, call: Any) -> Any:
        made = write(self, env, call)
        if made is not None:
            names.append(made.key.rpartition("/")[2])
        return made

    monkeypatch.setattr(EventTemplates, "write", counted)
    return names


def event(name: str, about: str, **more: Any) -> dict[str, Any]:
    reference = {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": about, "uid": f"uid-{about}"}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "default"},
        "involvedObject": reference | {"resourceVersion": str(len(name) + 100)},
        "reason": "Scheduled",
        "message": f"assigned default/{about}",
        "type": "Normal",
        "source": {"component": "default-scheduler"},
        "firstTimestamp": SECOND,
        "lastTimestamp": SECOND,
        "count": 1,
        "reportingComponent": "default-scheduler",
        "reportingInstance": "",
        **more,
    }


async def made(api: Desk, name: str, about: str, **more: Any) -> Response:
    return await api.create("events", event(name, about, **more))


def without_own(answer: Response) -> Any:
    obj = body_of(answer)
    for key in ("name", "uid", "resourceVersion"):
        obj["metadata"].pop(key)
        obj["involvedObject"].pop(key)
    obj.pop("message")
    return obj


async def test_a_templated_event_is_what_the_whole_way_makes(hits: list[str]) -> None:
    async with desk(clock=Still()) as api:
        first, second = await made(api, "a.1", "a"), await made(api, "longer.22", "longer")
        assert hits == ["longer.22"]
        assert (second.code, without_own(second)) == (first.code, without_own(first))
        obj = body_of(second)
        assert list(obj) == list(body_of(first))
        assert obj["message"] == "assigned default/longer"
        assert obj["involvedObject"]["uid"] == "uid-longer"
        assert obj["involvedObject"]["resourceVersion"] == "109"
        assert obj["metadata"]["uid"] != body_of(first)["metadata"]["uid"]
        assert (await api.get("events", "longer.22"))["message"] == "assigned default/longer"


@pytest.mark.parametrize(
    "more",
    [
        {"reason": "Other"},
        {"count": 2},
        {"type": "Warning"},
        {"source": {"component": "default-scheduler", "host": "node-1"}},
        {"action": "Binding"},
        {"series": {"count": 2}},
        {"lastTimestamp": "2026-01-01T00:00:01Z"},
    ],
)
async def test_an_event_of_another_shape_takes_the_whole_way(hits: list[str], more: dict[str, Any]) -> None:
    async with desk(clock=Still()) as api:
        await made(api, "a.1", "a")
        answer = await made(api, "b.1", "b", **more)
        assert (answer.code, hits) == (201, [])
        assert body_of(answer).items() >= more.items()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"metadata": {"name": "Not a name", "namespace": "default"}}, 422),
        ({"metadata": {"name": "b.1", "namespace": "other"}}, 400),
        ({"message": 7}, 400),
        ({"count": "1"}, 400),
        ({"involvedObject": {"kind": "Pod", "namespace": "other", "name": "b"}}, 422),
    ],
)
async def test_what_is_wrong_with_an_event_is_told_after_a_good_one(more: dict[str, Any], code: int) -> None:
    async with desk(clock=Still()) as api:
        await made(api, "a.1", "a")
        assert (await made(api, "b.1", "b", **more)).code == code


async def test_an_event_by_a_name_that_is_taken_is_refused(hits: list[str]) -> None:
    async with desk(clock=Still()) as api:
        await made(api, "a.1", "a")
        answer = await made(api, "a.1", "b")
        assert (answer.code, body_of(answer)["reason"]) == (409, "AlreadyExists")
        assert hits == ["a.1"]


async def test_a_template_does_not_outlive_its_namespace(hits: list[str]) -> None:
    async with desk(clock=Still()) as api:
        await made(api, "a.1", "a")
        await api.create("namespaces", {"metadata": {"name": "new"}})
        await made(api, "b.1", "b")
        await made(api, "c.1", "c")
        assert hits == ["c.1"], "what admission looks at has changed in between"
