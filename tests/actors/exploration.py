"""A seeded workload of supervised actors, and what must hold in every order of callbacks.

``explore(seed)`` plays it on a deterministic loop with shuffled callbacks and raises ``Violation``. The troupe are
labourers under a supervisor (crashes, failing starts, timers, children); around them go on at once: mail from several
senders into small mailboxes, questions whose answers come late, kills under watch, a stream whose consumer crashes,
restart budgets, starts that fail, registered names, a group with a monitor, a pool, a topic, a link that loses mail,
another node.
"""

from __future__ import annotations

import asyncio

import structlog

from actors import Intensity, Mailbox, Strategy, Supervisor, System, child
from actors.testing import DeterministicLoop, MemoryNetwork
from tests.actors.acts import ACTS
from tests.actors.ledger import Ledger, Violation, check
from tests.actors.scene import FAST, Scene
from tests.actors.troupe import GROUP, Hand, Labourer, Monitor

REST_SECONDS = 60.0
"""Longer than any back-off: after it all is at rest."""
LIMIT_SECONDS = 3600.0
"""In virtual time: a run that is not over by then hangs."""


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
            await _last_leaves(scene)
            _check_rest(scene)
            scene.ledger.stopping = True
        check(scene.ledger, scene.troupe)
        _check_nothing_left(system)
    return scene.ledger


async def _last_leaves(scene: Scene) -> None:
    """One more joins the group and ends, when nobody else does anything: a monitor hears of it by itself."""
    last = await scene.system.spawn(Hand, scene.ledger, name="last")
    scene.system.groups.join(GROUP, last)
    await scene.system.idle()
    await scene.system.stop_actor(last)
    await scene.system.idle()


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


def _check_rest(scene: Scene) -> None:
    """When all is at rest nobody is lost, and who keeps books of the living has them right."""
    lost = [path for path in scene.troupe if not scene.alive(path)]
    scene.ledger.objects(not lost, f"actors were lost: {lost}")
    members = sorted(ref.path for ref in scene.system.groups.members(GROUP))
    scene.ledger.objects(members == scene.troupe, f"the group has {members}, the living are {scene.troupe}")
    view = sorted(scene.view)
    scene.ledger.objects(view == members, f"the monitor knows {view}, members are {members}")
    tasks = [name for name in _tasks() if not name.startswith("actors worker") and not name.endswith(": chore")]
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
