"""A user's code with mistakes: mypy must refuse each marked line with the code of its mark, and no other line.

Never run.
"""

from __future__ import annotations

from actors import Ask, Context, Ref, System, child
from tests.actors.typed.accepted import Add, Counter, Names, Other, Sums, Total


async def another_message(counter: Sums) -> None:
    await counter.tell(Other())  # refused: arg-type
    counter.tell_nowait(Other())  # refused: arg-type
    await counter.ask(Names("a"))  # refused: arg-type


async def the_wrong_way_to_send(counter: Sums) -> None:
    await counter.tell(Total())  # refused: arg-type
    await counter.ask(Add(1))  # refused: arg-type
    await counter.tell(1)  # refused: arg-type
    await counter.tell("add")  # refused: arg-type


async def the_wrong_reply(counter: Sums) -> str:
    names: list[str] = await counter.ask(Total())  # refused: arg-type
    assert names
    return await counter.ask(Total())  # refused: arg-type


async def a_ref_that_takes_less(adder: Ref[Add]) -> None:
    counter: Sums = adder  # refused: assignment
    assert counter


async def a_message_of_the_wrong_shape(counter: Sums) -> None:
    await counter.tell(Add("one"))  # refused: arg-type
    await counter.tell(Add())  # refused: call-arg
    await counter.tell(Add(1), urgent="yes")  # refused: arg-type


async def no_such_thing(counter: Sums, context: Context) -> None:
    await counter.send(Add(1))  # refused: attr-defined
    await counter.ask(Total(), "soon")  # refused: arg-type
    context.send_after("soon", Add(1))  # refused: arg-type
    context.send_after(1.0, Total())  # refused: arg-type
    child(Counter, restart="always")  # refused: arg-type
    System(seed="x")  # refused: arg-type


async def never_awaited(counter: Sums) -> None:
    counter.tell(Add(1))  # refused: unused-coroutine


class AskForNothing(Ask):  # refused: type-arg
    pass
