"""The library in what people have: uvloop, FastAPI, aiohttp. (The whole suite is its life under pytest-asyncio.)"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import uvloop
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from fastapi import FastAPI, Request

from actors import AskTimeout, Backoff, Down, System
from tests.actors.cast import Add, Counter, Crash, Sleep, Total

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


async def scene() -> int:
    """Mail, a crash, a restart by a timer, a timeout, a stop with a handler that runs."""
    async with System() as system:
        ref = await system.spawn(Counter, backoff=Backoff(0.01))
        for _ in range(5000):
            await ref.tell(Add(1))
        total = await ref.ask(Total())
        await ref.tell(Crash())
        assert await ref.ask(Total()) == 0, "a new instance after the back-off"
        with pytest.raises(AskTimeout):
            await ref.ask(Sleep(0.05), timeout=0.01)
        last = asyncio.create_task(ref.ask(Sleep(0.02)))
        await asyncio.sleep(0.0)
    assert await asyncio.gather(last, return_exceptions=True)
    return total


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_it_lives_on_this_loop(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(scene()) == 5000


def fastapi_app(stopped: list[bool]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with System("web") as system:
            app.state.counter = await system.spawn(Counter, name="counter")
            yield
        stopped.append(not system.running)

    app = FastAPI(lifespan=lifespan)

    @app.post("/count/{amount}")
    async def count(amount: int, request: Request) -> int:
        await request.app.state.counter.tell(Add(amount))
        total: int = await request.app.state.counter.ask(Total())
        return total

    return app


@pytest.mark.real_loop
async def test_it_lives_as_long_as_a_fastapi_application() -> None:
    stopped: list[bool] = []
    app = fastapi_app(stopped)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            replies = await asyncio.gather(*(client.post("/count/2") for _ in range(20)))
            assert sorted(reply.json() for reply in replies)[-1] == 40
    assert stopped == [True]


@pytest.mark.real_loop
async def test_it_lives_as_long_as_an_aiohttp_application() -> None:
    key = web.AppKey("system", System)

    async def actors(app: web.Application) -> AsyncIterator[None]:
        async with System("web") as system:
            app[key] = system
            await system.spawn(Counter, name="counter")
            yield

    async def count(request: web.Request) -> web.Response:
        ref = request.app[key].ref("counter")
        await ref.tell(Add(3))
        return web.json_response(await ref.ask(Total()))

    app = web.Application()
    app.cleanup_ctx.append(actors)
    app.router.add_post("/count", count)
    async with TestClient(TestServer(app)) as client:
        reply = await client.post("/count")
        assert await reply.json() == 3
    assert not app[key].running


@pytest.mark.real_loop
async def test_a_client_that_goes_away_cancels_its_ask_and_no_actor() -> None:
    async with System() as system:
        ref = await system.spawn(Counter)
        waiting = asyncio.create_task(ref.ask(Sleep(0.02)))
        await asyncio.sleep(0.005)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await ref.ask(Total()) == 0
        assert system.statistics().asks == 0
        await system.stop_actor(ref)
        with pytest.raises(Down):
            await ref.ask(Total())
