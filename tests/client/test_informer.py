"""Informers: one true cache for each kind, whatever happens to the watch."""

from __future__ import annotations

from typing import Any

import pytest

from actors import Actor
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.informer import SILENCE_SECONDS
from orchestrator.client.kinds import CONFIGMAPS
from orchestrator.client.messages import Enqueue
from orchestrator.client.view import View
from orchestrator.store.protocol import Changes, Event, Refusal, Unwatch, Value
from tests.controllers.stage import Stage, stage


class Listener(Actor):
    def __init__(self) -> None:
        self.frames: list[Enqueue] = []

    async def receive(self, message: Any) -> None:
        self.frames.append(message)

    @property
    def keys(self) -> list[str]:
        return [key for frame in self.frames for key in frame.keys]


def own(old: View | None, new: View | None) -> list[str]:
    view = new or old
    return [view.key] if view is not None else []


def config(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data}


async def listen(s: Stage) -> Listener:
    listener = Listener()
    ref = await s.system.spawn(lambda: listener, name="listener")
    await s.informers.subscribe(CONFIGMAPS, ref, own)
    await s.informers.synced(CONFIGMAPS)
    await s.settle(0.1)
    return listener


async def test_a_cache_shows_what_is_there_and_what_comes() -> None:
    async with stage() as s:
        await s.client.create(CONFIGMAPS, config("one"))
        cache = await s.informers.synced(CONFIGMAPS)
        assert cache.get("default", "one") is not None
        await s.client.create(CONFIGMAPS, config("two"))
        await s.client.delete(CONFIGMAPS, "one", "default")
        await s.settle(0.1)
        assert [view.name for view in cache.list()] == ["two"]


async def test_a_subscriber_hears_of_each_change_with_its_revision() -> None:
    async with stage() as s:
        await s.client.create(CONFIGMAPS, config("one"))
        listener = await listen(s)
        made = await s.client.create(CONFIGMAPS, config("two"))
        await s.settle(0.1)
        assert listener.keys == ["default/one", "default/two"]
        assert listener.frames[-1].causes == [[int(made["metadata"]["resourceVersion"])]]


async def test_one_informer_serves_all_who_ask() -> None:
    async with stage() as s:
        first = await s.informers.synced(CONFIGMAPS)
        assert await s.informers.cache(CONFIGMAPS) is first
        assert s.api.requests["list configmaps"] == 1


async def test_a_watch_that_ends_is_taken_up_again_without_a_list() -> None:
    async with stage() as s:
        listener = await listen(s)
        s.api.end_watches(Refusal.SLOW)
        await s.client.create(CONFIGMAPS, config("meanwhile"))
        await s.settle(1.0)
        assert listener.keys == ["default/meanwhile"]
        assert s.api.requests["list configmaps"] == 1


async def test_a_history_that_is_lost_is_made_good_by_a_list() -> None:
    async with stage() as s:
        listener = await listen(s)
        await s.client.create(CONFIGMAPS, config("kept"))
        await s.client.create(CONFIGMAPS, config("lost"))
        await s.settle(0.1)
        s.api.end_watches(Refusal.STOPPED)
        await s.client.delete(CONFIGMAPS, "lost", "default")
        s.api.forget_history()
        await s.settle(2.0)
        cache = await s.informers.synced(CONFIGMAPS)
        assert [view.name for view in cache.list()] == ["kept"]
        assert listener.keys[-1] == "default/lost"


async def test_an_informer_that_is_killed_tells_the_difference_when_it_is_back() -> None:
    async with stage() as s:
        listener = await listen(s)
        s.system.kill("informer-configmaps")
        await s.client.create(CONFIGMAPS, config("meanwhile"))
        await s.settle(5.0)
        assert listener.keys == ["default/meanwhile"]


async def test_a_server_that_restarts_is_followed_again() -> None:
    async with stage() as s:
        cache = await s.informers.synced(CONFIGMAPS)
        s.system.kill("api")
        await s.settle(100.0)
        await s.client.create(CONFIGMAPS, config("after"))
        await s.settle(1.0)
        assert [view.name for view in cache.list()] == ["after"]


async def test_progress_moves_the_revision_of_a_quiet_kind() -> None:
    async with stage() as s:
        from orchestrator.client.kinds import SECRETS

        cache = await s.informers.synced(CONFIGMAPS)
        await s.client.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}, "default")
        await s.settle(15.0)
        assert cache.revision == s.api.revision


@pytest.mark.parametrize("hastened", [False, True], ids=["left alone", "asked for progress each second"])
async def test_a_watch_that_fell_silent_is_opened_anew(hastened: bool) -> None:
    async with stage() as s:
        cache = await s.informers.synced(CONFIGMAPS)
        await s.settle(0.1)
        s.system.ref("api").tell_nowait(Unwatch(1))  # as on a connection whose other end is gone
        await s.settle(0.1)
        await s.client.create(CONFIGMAPS, config("unseen"))
        for _ in range(round(2 * SILENCE_SECONDS)):
            await s.settle(1.0)
            if hastened:
                s.informers.hasten(CONFIGMAPS)
        assert cache.get("default", "unseen") is not None


@pytest.mark.parametrize("moment", [1.0, 38.2, 47.7])
async def test_silence_is_noticed_the_first_time_it_is_looked_for_at_whatever_moment_it_began(moment: float) -> None:
    async with stage() as s:
        await s.settle(moment)
        cache = await s.informers.synced(CONFIGMAPS)
        await s.settle(0.1)
        s.system.ref("api").tell_nowait(Unwatch(1))
        await s.settle(0.1)
        await s.client.create(CONFIGMAPS, config("unseen"))
        await s.settle(SILENCE_SECONDS + 1.0)
        assert cache.get("default", "unseen") is not None


async def test_a_restarted_informer_does_not_take_frames_of_the_watch_before_it() -> None:
    async with stage() as s:
        await s.client.create(CONFIGMAPS, config("gone"))
        cache = await s.informers.synced(CONFIGMAPS)
        old = cache.list()[0]
        await s.client.delete(CONFIGMAPS, "gone", "default")
        await s.settle(0.1)
        informer = next(path for path in s.system.cells if path.endswith("informer-configmaps"))
        s.system.kill(informer)
        await s.settle(2.0)
        parts = (old.encoded.metadata, old.encoded.status, old.encoded.rest)
        value = Value(f"{CONFIGMAPS.prefix}default/gone", parts, old.revision, old.revision, 1)
        late = Changes.of(1, "1", old.revision, [Event(False, True, value)])
        await s.system.ref(informer).tell(late)  # it was under way when the instance that it was for ended
        await s.settle(0.1)
        assert cache.list() == []
