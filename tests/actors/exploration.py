"""A seeded workload of supervised actors, and what must hold in every order of callbacks.

``explore(seed)`` plays it on a deterministic loop with shuffled callbacks and raises ``Violation``. The troupe are
labourers under a supervisor (crashes, failing starts, timers, children); around them go on at once: mail from several
senders into small mailboxes, questions whose answers come late, kills under watch, a stream whose consumer crashes,
restart budgets, starts that fail, registered names, a group with a monitor, a link that loses mail, another node.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import structlog

from actors import (
    Actor,
    AskTimeout,
    Backoff,
    Down,
    Intensity,
    Mailbox,
    Ref,
    StartFailed,
    Strategy,
    Supervisor,
    System,
    child,
    temporary,
)
from actors.testing import DeterministicLoop, MemoryNetwork
from tests.actors.far import play_far
from tests.actors.ledger import Ledger, Violation, check
from tests.actors.troupe import (
    GROUP,
    Courier,
    Drain,
    Hand,
    Labourer,
    Link,
    Look,
    Mail,
    Monitor,
    Producer,
    Push,
    Question,
    Receiver,
    Step,
    Stillborn,
    Watcher,
    instance,
)

LABOURERS = 3
SENDERS = 2
STEPS = 12
QUESTIONS = 6
ITEMS = 12
PARCELS = 4
KILLS = 4
REST_SECONDS = 60.0
"""Longer than any back-off: after it all is at rest."""
LIMIT_SECONDS = 3600.0
"""In virtual time: a run that is not over by then hangs."""
BUDGET = Intensity(3, 20.0)
FAST = Backoff(0.01, 0.1)


class Scene:
    """One run: its system, its cast, its chance."""

    def __init__(self, system: System, seed: int, network: MemoryNetwork) -> None:
        self.system = system
        self.network = network
        self.seed = seed
        self.ledger = Ledger()
        self.troupe = [f"top/w{number}" for number in range(LABOURERS)]
        self.refs = [system.ref(path) for path in self.troupe]
        self.view: list[str] = []

    def chance(self, act: str) -> random.Random:
        return random.Random(f"{self.seed}/{act}")

    def alive(self, path: str) -> bool:
        cell = self.system.cells.get(path)
        return cell is not None and cell.state.value == "running"

    async def until_alive(self, path: str) -> None:
        await self.until(lambda: self.alive(path))

    async def until(self, true: Callable[[], bool], step: float = 0.01) -> None:
        while not true():  # noqa: ASYNC110  (what is waited for is in the system, not in an event)
            await asyncio.sleep(step)

    def kill(self, path: str) -> None:
        if not self.system.kill(path):
            raise Violation(f"{path} runs and cannot be killed")


def explore(seed: int) -> Ledger:
    """One run; the invariants are checked at its end. Raises ``Violation``."""
    loop = DeterministicLoop(seed, shuffle=True)
    unhandled: list[str] = []
    loop.set_exception_handler(lambda _, what: unhandled.append(f"{what['message']}: {what.get('exception')!r}"))
    try:
        with structlog.testing.capture_logs() as logs, asyncio.Runner(loop_factory=lambda: loop) as runner:
            ledger = runner.run(_play(seed))
    except (Violation, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise Violation(f"{type(error).__name__}: {error}") from error
    crashed = [str(entry) for entry in logs if entry["event"] == "a task of the actor library crashed"]
    for problem in unhandled + crashed:
        raise Violation(problem)
    return ledger


async def _play(seed: int) -> Ledger:
    async with asyncio.timeout(LIMIT_SECONDS):
        network = MemoryNetwork(seed, loss=0.05, duplication=0.05)
        system = System("near", seed=seed, network=network.host("near"))
        scene = Scene(system, seed, network)
        async with system:
            system.dead_letters.subscribe(scene.ledger.took_dead_letter)
            await _raise_curtain(scene)
            await asyncio.gather(*(act(scene) for act in ACTS))
            await asyncio.sleep(REST_SECONDS)
            await system.idle()
            _check_rest(scene)
            scene.ledger.stopping = True
        check(scene.ledger, scene.troupe)
        _check_nothing_left(system)
    return scene.ledger


async def _raise_curtain(scene: Scene) -> None:
    ledger, chance = scene.ledger, scene.chance("curtain")
    spec = {"mailbox": Mailbox(chance.choice((2, 4, 1024))), "backoff": FAST}
    children = [
        child(Labourer, ledger, 0.1, name=path.removeprefix("top/"), **spec)  # type: ignore[arg-type]
        for path in scene.troupe
    ]
    tree = Supervisor(chance.choice(list(Strategy)), Intensity(1000, 10.0), children)
    await scene.system.spawn(Monitor, ledger, scene.view, name="monitor")
    await scene.system.spawn(tree, name="top")


async def _mail(scene: Scene) -> None:
    """Each pair's mail is handled once and in order, though receivers crash and their mailboxes are small."""

    async def send(sender: int) -> None:
        chance = scene.chance(f"sender {sender}")
        for number in range(STEPS):
            ref = chance.choice(scene.refs)
            scene.ledger.sent.setdefault((ref.path, sender), []).append(number)
            await ref.tell(Step(sender, number, chance.random() < 0.08))
            if chance.random() < 0.3:
                await asyncio.sleep(0.01)

    await asyncio.gather(*(send(sender) for sender in range(SENDERS)))


async def _questions(scene: Scene) -> None:
    """A reply is the answer to its own question, however late others come."""

    async def ask(asker: int) -> None:
        chance = scene.chance(f"asker {asker}")
        for number in range(QUESTIONS):
            mine = asker * QUESTIONS + number
            question = Question(mine, chance.choice((0.0, 0.004, 0.02)))
            try:
                reply = await chance.choice(scene.refs).ask(question, chance.choice((0.003, 0.01, 1.0)))
            except (AskTimeout, Down):
                continue
            scene.ledger.replies += 1
            scene.ledger.objects(reply == mine, f"question {mine} was answered with {reply}")

    await asyncio.gather(ask(0), ask(1))


async def _kills(scene: Scene) -> None:
    """Each watch is told once, before the watcher's waiting mail."""
    chance = scene.chance("kills")
    watcher = await scene.system.spawn(Watcher, scene.ledger, name="watcher")
    watching: Watcher = instance(scene.system, "watcher")
    for number in range(KILLS):
        victim = await scene.system.spawn(Hand, scene.ledger, name=f"victim{number}", backoff=FAST)
        for _ in range(chance.choice((1, 2))):
            await watcher.tell(Look(victim))
        await scene.until(lambda path=victim.path: scene.ledger.watches[path] > scene.ledger.downs[path], 0.001)  # type: ignore[misc]
        for _ in range(3):
            await watcher.tell(Mail())
        await asyncio.sleep(chance.choice((0.0, 0.001, 0.003)))
        scene.ledger.watches[victim.path] = scene.ledger.downs[victim.path] + 1  # however often it watched
        watching.expected[victim.path] = watching.begun
        scene.kill(victim.path)
        await asyncio.sleep(chance.uniform(0.0, 0.05))
    scene.kill(chance.choice(scene.troupe)) if all(map(scene.alive, scene.troupe)) else None


async def _stream(scene: Scene) -> None:
    """What is pushed is handled once and in order, and the stream comes to its end."""
    chance = scene.chance("stream")
    producer = await scene.system.spawn(Producer, scene.ledger, scene.refs[0], name="producer")
    for number in range(ITEMS):
        await producer.tell(Push(number, chance.random() < 0.15))
    drained = await producer.ask(Drain(), timeout=30.0)
    scene.ledger.objects(drained, "the stream did not come to its end")


async def _shared_budget(scene: Scene) -> None:
    """A supervisor survives as many restarts of its children as its budget says, and not one more."""
    system, chance = scene.system, scene.chance("shared")
    names = ["a", "b"]
    children = [child(Hand, scene.ledger, name=name, backoff=FAST) for name in names]
    strict = await system.spawn(Supervisor(intensity=BUDGET, children=children), name="strict", restart=temporary)
    for _ in range(BUDGET.restarts):
        path = f"{strict.path}/{chance.choice(names)}"
        await scene.until_alive(path)
        scene.kill(path)
        await asyncio.sleep(chance.uniform(0.2, 0.5))
    scene.ledger.objects(scene.alive("strict"), "a supervisor ended before its budget was used up")
    if chance.random() < 0.5:
        await asyncio.sleep(BUDGET.within)  # the window moves on: the budget is whole again
    else:
        scene.kill(f"{strict.path}/{chance.choice(names)}")
        await asyncio.sleep(1.0)
        scene.ledger.objects("strict" not in system.cells, "a supervisor outlived its budget")


class Parent(Actor):
    """Has two children and is no supervisor: each has a budget of its own."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def start(self) -> None:
        for name in ("a", "b"):
            await self.context.spawn(Hand, self.ledger, name=name, backoff=FAST)


async def _own_budgets(scene: Scene) -> None:
    """The restarts of one child of an ordinary actor are no charge on its sibling."""
    chance = scene.chance("own")
    await scene.system.spawn(Parent, scene.ledger, name="parent", restart=temporary)
    allowed = Intensity().restarts
    orders = ["parent/a"] * chance.randint(2, allowed) + ["parent/b"] * chance.randint(2, allowed)
    chance.shuffle(orders)
    for path in orders:
        if path not in scene.system.cells:
            scene.ledger.objects(False, f"{path} was given up within its budget")
            return
        await scene.until_alive(path)
        scene.kill(path)
    await asyncio.sleep(5.0)
    scene.ledger.objects(scene.alive("parent/a") and scene.alive("parent/b"), "a child was lost within its budget")


async def _failed_starts(scene: Scene) -> None:
    """An actor that did not start leaves nothing behind."""
    try:
        await scene.system.spawn(Stillborn, scene.ledger, name="stillborn")
    except StartFailed:
        pass
    system = scene.system
    left = [path for path in system.cells if path.startswith("stillborn")]
    left += [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("stillborn")]
    left += [ref.path for ref in system.groups.members(GROUP) if ref.path == "stillborn"]
    left += [name for name in system.names.all() if name == "stillborn"]
    scene.ledger.objects(not left, f"a failed start left {left}")


async def _names(scene: Scene) -> None:
    """A name belongs to its actor across restarts and is free when that ended."""
    system, chance = scene.system, scene.chance("names")
    holder = await system.spawn(Hand, scene.ledger, name="holder", backoff=FAST)
    system.register("name", holder)
    for _ in range(chance.randint(0, 2)):
        await scene.until_alive("holder")
        scene.kill("holder")
        scene.ledger.objects(system.whereis("name") == holder, "a restart cost an actor its name")
    await system.stop_actor(holder)
    scene.ledger.objects(system.whereis("name") is None, "a name outlived its actor")


async def _link(scene: Scene) -> None:
    """Over a link that loses, doubles and delays, each number arrives once in the end."""
    system = scene.system
    await system.spawn(Link, name="link")
    await system.spawn(Receiver, scene.ledger, name="receiver")
    courier: Ref[Any] = await system.spawn(Courier, PARCELS, name="courier", restart=temporary)
    await scene.until(lambda: courier.path not in system.cells)
    scene.ledger.objects(scene.ledger.delivered == list(range(PARCELS)), f"arrived: {scene.ledger.delivered}")


async def _far(scene: Scene) -> None:
    """What holds between two nodes; every other seed, since it costs as much as the rest together."""
    if scene.seed % 2 == 0:
        await play_far(scene.system, scene.network, scene.ledger, scene.chance("far"))


ACTS = (_mail, _questions, _kills, _stream, _shared_budget, _own_budgets, _failed_starts, _names, _link, _far)


def _check_rest(scene: Scene) -> None:
    """When all is at rest nobody is lost, and who keeps books of the living has them right."""
    lost = [path for path in scene.troupe if not scene.alive(path)]
    scene.ledger.objects(not lost, f"actors were lost: {lost}")
    members = sorted(ref.path for ref in scene.system.groups.members(GROUP))
    scene.ledger.objects(members == scene.troupe, f"the group has {members}, the living are {scene.troupe}")
    view = sorted(scene.view)
    scene.ledger.objects(view == members, f"the monitor knows {view}, members are {members}")
    tasks = [name for name in _tasks() if not name.startswith("actors worker")]
    scene.ledger.objects(not tasks, f"tasks at rest: {tasks}")


def _check_nothing_left(system: System) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, DeterministicLoop), "the exploration runs on a deterministic loop"
    left = {
        "tasks": _tasks(),
        "timers": list(range(loop.timers() - 1)),  # one is this run's own limit
        "actors": [path for path in system.cells if path],
        "names": list(system.names.all()),
        "groups": list(system.groups.names()),
        "asks": list(system.asks.waiting),
    }
    found = {what: which for what, which in left.items() if which}
    if found:
        raise Violation(f"left after the stop: {found}")


def _tasks() -> list[str]:
    return sorted(task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task())
