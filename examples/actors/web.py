"""Actors in a FastAPI application: ``uvicorn examples.actors.web:app``, or ``python -m examples.actors.web`` to try it.

The system lives as long as the application. A visitor's cart is an actor of its own, made at the first request and
gone when it was left alone for a while; two requests for one cart cannot get in each other's way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI, HTTPException, Request

from actors import Actor, Ask, NameTaken, ReceiveTimeout, Ref, Refused, System, temporary

IDLE_SECONDS = 600.0
MOST = 5
"""Pieces of one thing in a cart."""


class Put(Ask[dict[str, int]]):
    thing: str


class Cart(Actor):
    def __init__(self) -> None:
        self.things: dict[str, int] = {}

    async def start(self) -> None:
        self.context.receive_timeout(IDLE_SECONDS)

    async def receive(self, message: Put | ReceiveTimeout) -> Any:
        match message:
            case ReceiveTimeout():
                self.context.stop()
            case Put(thing):
                if self.things.get(thing, 0) >= MOST:
                    raise Refused("too many", f"at most {MOST} of {thing}")
                self.things[thing] = self.things.get(thing, 0) + 1
                return self.things
        return None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with System("shop") as system:
        app.state.system = system
        yield


app = FastAPI(lifespan=lifespan)


async def cart_of(system: System, visitor: str) -> Ref[Put]:
    name = f"cart-{visitor}"
    found = system.whereis(name)
    if found is not None:
        return found
    try:
        return await system.spawn(Cart, name=name, restart=temporary)
    except NameTaken:  # another request was faster
        return system.ref(name)


@app.post("/carts/{visitor}/{thing}")
async def put(visitor: str, thing: str, request: Request) -> dict[str, int]:
    cart = await cart_of(request.app.state.system, visitor)
    try:
        return await cart.ask(Put(thing))
    except Refused as refusal:
        raise HTTPException(409, str(refusal)) from refusal


async def main() -> None:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            replies = await asyncio.gather(*(client.post("/carts/ann/pear") for _ in range(7)))
            other = await client.post("/carts/bob/apple")
    put, refused = ([reply for reply in replies if reply.status_code == code] for code in (200, 409))
    print(f"ann put {len(put)} pears, {len(refused)} were too many; bob has {other.json()}")


if __name__ == "__main__":
    asyncio.run(main())
