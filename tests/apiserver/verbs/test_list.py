from __future__ import annotations

from orchestrator.store.protocol import Changes
from tests.apiserver.desk import Desk, body_of, config_map, desk, pod


async def fill(api: Desk, count: int = 5) -> None:
    for number in range(count):
        body = config_map(f"c{number}")
        body["metadata"]["labels"] = {"even": str(number % 2 == 0)}
        await api.create("configmaps", body)


def names(response: object) -> list[str]:
    return [item.decode_metadata()["name"] for item in response.items or ()]  # type: ignore[attr-defined]


async def test_pages_hold_the_revision_of_the_first() -> None:
    async with desk() as api:
        await fill(api)
        first = await api.list("configmaps", limit=2)
        await api.create("configmaps", config_map("c11"))
        rest = await api.list("configmaps", limit=9, continue_token=first.continue_token)
        assert (names(first), first.remaining) == (["c0", "c1"], 3)
        assert names(rest) == ["c2", "c3", "c4"]


async def test_a_page_of_selected_objects_is_full() -> None:
    async with desk() as api:
        await fill(api)
        page = await api.list("configmaps", limit=2, label_selector="even=True")
        rest = await api.list("configmaps", limit=2, label_selector="even=True", continue_token=page.continue_token)
        assert (names(page), names(rest)) == (["c0", "c2"], ["c4"])


async def test_a_revision_that_is_not_yet_is_a_timeout_with_its_cause() -> None:
    async with desk() as api:
        answer = body_of(await api.list("configmaps", resource_version="999999"))
        assert answer["code"] == 504
        assert answer["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


async def test_pods_are_listed_by_their_node() -> None:
    async with desk() as api:
        await api.create("pods", pod("a", nodeName="n1"))
        await api.create("pods", pod("b", nodeName="n2"))
        assert names(await api.list("pods", field_selector="spec.nodeName=n2")) == ["b"]


async def test_a_watch_begins_where_its_list_ended() -> None:
    async with desk() as api:
        listed = await api.list("configmaps")
        await api.create("configmaps", config_map("a"))
        granted, frames = await api.watch("configmaps", resource_version=str(listed.revision))
        await api.create("configmaps", config_map("b"))
        seen: list[str] = []
        while len(seen) < 2:
            frame = await frames.get()
            seen += [event.value.key for event in frame.events]
        assert granted.code == 200
        assert seen == ["core/configmaps/default/a", "core/configmaps/default/b"]


async def test_a_watch_without_revision_gives_the_state_first() -> None:
    async with desk() as api:
        await fill(api, 2)
        granted, _ = await api.watch("configmaps", send_initial_events=True, resource_version_match="NotOlderThan")
        assert names(granted) == ["c0", "c1"]


async def test_initial_events_need_their_match() -> None:
    async with desk() as api:
        granted, _ = await api.watch("configmaps", send_initial_events=True)
        assert granted.code == 422


async def test_an_object_that_leaves_the_selection_is_seen_as_deleted() -> None:
    async with desk() as api:
        await fill(api, 1)
        revision = (await api.list("configmaps")).revision
        _, frames = await api.watch("configmaps", resource_version=str(revision), label_selector="even=True")
        await api.patch("configmaps", "c0", {"metadata": {"labels": {"even": "no"}}})
        frame: Changes = await frames.get()
        assert [(event.deleted, event.value.key) for event in frame.events] == [(True, "core/configmaps/default/c0")]
