"""What can be seen of a running system from outside."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from actors import Actor, Ask, Backoff, Mailbox, System, Tell, Trace, current, drop_newest
from actors.metrics import Metrics
from tests.actors.cast import Add, Counter, Crash, Sleep, Total


class Say(Ask[None]):
    pass


class SayTell(Tell):
    pass


class Speaker(Actor):
    async def receive(self, message: Any) -> None:
        self.context.log.warning("heard")


async def test_prometheus_reads_the_figures_by_kind() -> None:
    """SEMANTICS 20.5"""
    registry = CollectorRegistry()
    async with System(name="here") as system:
        registry.register(Metrics(system))
        refs = [await system.spawn(Counter, mailbox=Mailbox(2, drop_newest), backoff=Backoff(0.1)) for _ in range(2)]
        sleeping = refs[0].ask(Sleep(1.0))
        for number in range(4):
            await refs[1].tell(Add(number))
        await refs[1].tell(Add(5))
        await system.idle()
        assert await sleeping == "slept"
        await refs[1].tell(Crash())
        await system.clock.sleep(2.0)
        await system.ref("nobody").tell(Add(1))
        text = generate_latest(registry).decode()
    for line in (
        'actors_actors{kind="Counter",system="here"} 2.0',
        'actors_handled_messages_total{kind="Counter",system="here"} 4.0',
        'actors_dropped_messages_total{kind="Counter",system="here"} 3.0',
        'actors_restarts_total{kind="Counter",system="here"} 1.0',
        'actors_crashes_total{kind="Counter",system="here"} 1.0',
        'actors_mailbox_messages{kind="Counter",system="here"} 0.0',
        'actors_dead_letters_total{reason="missing",system="here"} 1.0',
        'actors_dead_letters_total{reason="dropped",system="here"} 3.0',
        'actors_spawned_total{system="here"} 2.0',
    ):
        assert line in text.splitlines(), text


async def test_the_log_of_a_handler_says_which_message_it_was(capsys: Any) -> None:
    """SEMANTICS 20.4"""
    async with System() as system:
        ref = await system.spawn(Speaker, name="speaker")
        await ref.tell(SayTell())
        await system.idle()
        assert capsys.readouterr().out.strip() == "level='warning' event='heard' actor='speaker'"
        await ref.ask(Say())
        assert "event='heard' actor='speaker' correlation=1" in capsys.readouterr().out
        token = current.cause.set(Trace("request-7"))
        await ref.ask(Say())
        current.cause.reset(token)
        assert "correlation=2 trace='request-7'" in capsys.readouterr().out


async def test_statistics_outlive_restarts_and_stand_in_the_tree() -> None:
    """SEMANTICS 20.6"""
    async with System() as system:
        ref = await system.spawn(Counter, name="counter", backoff=Backoff(0.1))
        await ref.tell(Add(1))
        await ref.tell(Crash())
        await system.clock.sleep(1.0)
        assert await ref.ask(Total()) == 0
        found = system.statistics_of(ref)
        assert found is not None
        assert (found.handled, found.restarts, found.crashes, found.mailbox) == (3, 1, 1, 0)
        (node,) = system.tree().children
        assert (node.path, node.kind, node.state) == ("counter", "Counter", "running")
        assert node.statistics == found
        assert system.statistics_of(system.ref("nobody")) is None
