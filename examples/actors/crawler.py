"""A crawler that keeps to a rate: ``python -m examples.actors.crawler``. It crawls a small site that it starts itself.

The frontier knows which pages were seen, a pool of fetchers has at most four requests under way, and a bucket of
tokens lets fifty begin in a second, whatever the fetchers want.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from actors import Actor, Ask, Pool, PoolSize, Ref, System, Tell, child

PAGES = 40
RATE = 50.0
"""Requests in a second."""
FETCHERS = 4


class Fetch(Ask[list[str]]):
    """The links of the page at ``path``."""

    path: str


class Take(Ask[None]):
    """Answered when the asker may send one request."""


class Crawl(Ask[dict[str, int]]):
    """Crawl all that can be reached from ``path``; the reply is each page with its number of links."""

    path: str


class Found(Tell):
    path: str
    links: list[str]


class Bucket(Actor):
    """Gives a token each ``1 / rate`` seconds, to who waits longest."""

    def __init__(self, rate: float) -> None:
        self.interval = 1.0 / rate
        self.free_at = 0.0

    async def receive(self, message: Take) -> Any:
        now = self.context.clock.monotonic()
        self.free_at = max(self.free_at + self.interval, now)
        return self.context.later(self.context.clock.sleep(self.free_at - now), "token")


class Fetcher(Actor):
    def __init__(self, session: ClientSession, origin: str, bucket: Ref[Take]) -> None:
        self.session, self.origin, self.bucket = session, origin, bucket

    async def receive(self, message: Fetch) -> list[str]:
        await self.bucket.ask(Take(), timeout=60.0)
        async with self.session.get(self.origin + message.path) as reply:
            return re.findall(r'href="([^"]+)"', await reply.text())


class Frontier(Actor):
    """Sends each page to the fetchers once; the asker is answered when nothing is open any more."""

    def __init__(self, fetchers: Ref[Fetch]) -> None:
        self.fetchers = fetchers
        self.seen: dict[str, int] = {}
        self.open = 0
        self.done = asyncio.Event()

    async def receive(self, message: Crawl | Found) -> Any:
        match message:
            case Crawl(path):
                self.visit(path)
                return self.context.later(self.result())
            case Found(path, links):
                self.seen[path] = len(links)
                self.open -= 1
                for link in links:
                    self.visit(link)
                if not self.open:
                    self.done.set()
        return None

    def visit(self, path: str) -> None:
        if path not in self.seen:
            self.seen[path] = 0
            self.open += 1
            self.context.pipe_to(self.fetch(path), self.context.ref)

    async def fetch(self, path: str) -> Found:
        return Found(path, await self.fetchers.ask(Fetch(path), timeout=60.0))

    async def result(self) -> dict[str, int]:
        await self.done.wait()
        return self.seen


@asynccontextmanager
async def site() -> AsyncIterator[tuple[str, list[float]]]:
    """A site of ``PAGES`` pages on a free port of this machine, and when each was asked for."""
    asked: list[float] = []

    async def page(request: web.Request) -> web.Response:
        asked.append(asyncio.get_running_loop().time())
        number = int(request.match_info["number"])
        links = [f'<a href="/page/{(number * 3 + step) % PAGES}">next</a>' for step in (1, 2, 3)]
        return web.Response(text="".join(links), content_type="text/html")

    app = web.Application()
    app.router.add_get("/page/{number}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}", asked
    finally:
        await runner.cleanup()


async def main() -> None:
    async with site() as (origin, asked), ClientSession() as session, System("crawler") as system:
        bucket = await system.spawn(Bucket, RATE, name="bucket")
        worker = child(Fetcher, session, origin, bucket)
        fetchers = await system.spawn(Pool, worker, PoolSize(1, FETCHERS), name="fetchers")
        frontier = await system.spawn(Frontier, fetchers, name="frontier")
        pages = await frontier.ask(Crawl("/page/0"), timeout=60.0)
        seconds = asked[-1] - asked[0]
        print(f"{len(pages)} pages, each once: {len(asked)} requests, {(len(asked) - 1) / seconds:.0f} in a second")


if __name__ == "__main__":
    asyncio.run(main())
