"""Instances that end together."""

from __future__ import annotations

from typing import Any

import pytest

from actors import Backoff, Down, Ref, System, Tell, temporary
from actors.testing import Probe
from tests.actors.cast import Counter, Crash


class Link(Tell):
    to: Ref[Any]


class Unlink(Tell):
    to: Ref[Any]


class Watch(Tell):
    ref: Ref[Any]


class End(Tell):
    pass


class Linked(Counter):
    async def receive(self, message: Any) -> Any:
        match message:
            case Link(to):
                self.context.link(to)
            case Unlink(to):
                self.context.unlink(to)
            case End():
                self.context.stop()
            case _:
                return await super().receive(message)
        return None


async def pair(system: System) -> tuple[Ref[Any], Ref[Any]]:
    """Two temporary actors, ``a`` linked to ``b`` (twice, which is once)."""
    a, b = [await system.spawn(Linked, name=name, restart=temporary) for name in "ab"]
    await a.tell(Link(b))
    await b.tell(Link(a))
    await system.clock.sleep(1.0)
    return a, b


def alive(system: System) -> set[str]:
    return {path for path in "ab" if system.whereis(path) is not None}


@pytest.mark.parametrize("first", ["a", "b"])
async def test_an_abnormal_end_takes_the_linked_instance_with_it_in_both_directions(first: str) -> None:
    """SEMANTICS 9.4, 9.5"""
    async with System() as system:
        await pair(system)
        other = system.ref("b" if first == "a" else "a")
        watched: list[Any] = []
        system.cells[other.path].watch(_Listener(watched))
        await system.ref(first).tell(Crash("as told"))
        await system.clock.sleep(1.0)
        assert alive(system) == set()
    assert [down.reason for down in watched] == ["linked"]
    assert "as told" in watched[0].message


class _Listener:
    """Stands for a watching cell."""

    def __init__(self, heard: list[Any]) -> None:
        self.hear = heard.append


async def test_a_killed_instance_takes_its_link_with_it_and_both_are_restarted_unlinked() -> None:
    """SEMANTICS 9.4, 9.5"""
    async with System() as system:
        a, b = [await system.spawn(Linked, name=name, backoff=Backoff(0.1)) for name in "ab"]
        await a.tell(Link(b))
        await system.clock.sleep(1.0)
        assert system.kill("a")
        await system.clock.sleep(5.0)
        assert alive(system) == {"a", "b"}
        assert system.statistics().restarts == 2
        await b.tell(Crash())
        await system.clock.sleep(5.0)
        assert system.statistics().restarts == 3


async def test_a_normal_end_and_a_stop_end_nobody_else() -> None:
    """SEMANTICS 9.4"""
    async with System() as system:
        a, _ = await pair(system)
        await a.tell(End())
        await system.clock.sleep(1.0)
        assert alive(system) == {"b"}
    async with System() as system:
        _, b = await pair(system)
        await system.stop_actor(b)
        assert alive(system) == {"a"}


async def test_either_side_unlinks() -> None:
    """SEMANTICS 9.5"""
    async with System() as system:
        a, b = await pair(system)
        await b.tell(Unlink(a))
        await system.clock.sleep(1.0)
        await a.tell(Crash())
        await system.clock.sleep(1.0)
        assert alive(system) == {"b"}


async def test_linking_to_nobody_ends_the_instance() -> None:
    """SEMANTICS 9.6"""
    async with System() as system:
        a = await system.spawn(Linked, name="a", restart=temporary)
        probe = await Probe.spawn(system)
        system.cells["a"].watch(system.cells[probe.ref.path])
        await a.tell(Link(system.ref("nobody")))
        down = await probe.get(Down)
        assert (down.ref, down.reason) == (a, "linked")
        await system.clock.sleep(1.0)
        assert alive(system) == set()


async def test_links_do_not_cross_nodes() -> None:
    """SEMANTICS 9.6"""
    async with System(name="here") as system:
        await system.spawn(Linked, name="a", restart=temporary)
        far = system.ref("a", "there")
        with pytest.raises(ValueError, match="expected an actor of the node 'here' to link to, found one of 'there'"):
            system.cells["a"].actor.context.link(far)  # type: ignore[union-attr]
        assert system.statistics_of(far) is None
