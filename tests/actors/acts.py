"""The acts of the exploration: what goes on at once around the troupe, and what each must come to."""

from __future__ import annotations

import asyncio
from typing import Any

from actors import (
    AskTimeout,
    Backoff,
    Down,
    Intensity,
    Mailbox,
    Policy,
    Pool,
    PoolSize,
    PoolStatistics,
    PoolStatus,
    Ref,
    Refused,
    StartFailed,
    Strategy,
    Subscribe,
    Supervisor,
    Topic,
    child,
    temporary,
)
from tests.actors.far import play_far
from tests.actors.scene import FAST, Scene
from tests.actors.troupe import (
    GROUP,
    Courier,
    Drain,
    Hand,
    Item,
    Job,
    Jobber,
    Link,
    Look,
    Mail,
    Nosy,
    Parent,
    Pass,
    Producer,
    Push,
    Question,
    Reader,
    Receiver,
    Sibling,
    Step,
    Stillborn,
    Turnstile,
    Watcher,
    instance,
)

SENDERS = 2
STEPS = 12
QUESTIONS = 6
ITEMS = 12
PARCELS = 4
JOBS = 8
ISSUES = 8
KILLS = 4
PATIENCE_SECONDS = 30.0
"""An ask with so much time ends earlier: by its answer, or by the end of who should give it."""
BUDGET = Intensity(3, 20.0)
STEADY = Backoff(0.05, jitter=0.0)


async def mail(scene: Scene) -> None:
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


async def questions(scene: Scene) -> None:
    """A reply is the answer to its own question, however late others come."""

    async def ask(asker: int) -> None:
        chance = scene.chance(f"asker {asker}")
        for number in range(QUESTIONS):
            mine = asker * QUESTIONS + number
            question = Question(mine, chance.choice((0.0, 0.004, 0.02)))
            try:
                reply = await chance.choice(scene.refs).ask(
                    question, seconds := chance.choice((0.003, 0.01, PATIENCE_SECONDS))
                )
            except Down:
                continue
            except AskTimeout:
                scene.ledger.objects(seconds < PATIENCE_SECONDS, f"question {mine} ended by nothing but its deadline")
                continue
            scene.ledger.replies += 1
            scene.ledger.objects(reply == mine, f"question {mine} was answered with {reply}")

    await asyncio.gather(ask(0), ask(1))


async def kills(scene: Scene) -> None:
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


async def stream(scene: Scene) -> None:
    """What is pushed is handled once and in order, and the stream comes to its end."""
    chance = scene.chance("stream")
    producer = await scene.system.spawn(Producer, scene.ledger, scene.refs[0], name="producer")
    for number in range(ITEMS):
        await producer.tell(Push(number, chance.random() < 0.15))
    drained = await producer.ask(Drain(), timeout=30.0)
    scene.ledger.objects(drained, "the stream did not come to its end")


async def shared_budget(scene: Scene) -> None:
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


async def own_budgets(scene: Scene) -> None:
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


async def failed_starts(scene: Scene) -> None:
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


async def names(scene: Scene) -> None:
    """A name belongs to its actor across restarts and is free when that ended."""
    system, chance = scene.system, scene.chance("names")
    holder = await system.spawn(Hand, scene.ledger, name="holder", backoff=FAST)
    system.register("name", holder)
    system.groups.join(GROUP, holder)
    for _ in range(chance.randint(0, 2)):
        await scene.until_alive("holder")
        scene.kill("holder")
        scene.ledger.objects(system.whereis("name") == holder, "a restart cost an actor its name")
    await system.stop_actor(holder)
    scene.ledger.objects(system.whereis("name") is None, "a name outlived its actor")


async def siblings(scene: Scene) -> None:
    """Who goes down together is what the strategy says; they start again in order, after the back-off."""
    chance = scene.chance("siblings")
    names = ["x", "y", "z"]
    began: list[tuple[str, float]] = []
    children = [child(Sibling, scene.ledger, began, name=name, backoff=STEADY) for name in names]
    strategy = chance.choice(list(Strategy))
    await scene.system.spawn(Supervisor(strategy, children=children), name="kin")
    index = chance.randrange(len(names))
    expected = {
        Strategy.ONE_FOR_ONE: names[index : index + 1],
        Strategy.ONE_FOR_ALL: names,
        Strategy.REST_FOR_ONE: names[index:],
    }[strategy]
    began.clear()
    earliest = scene.system.clock.monotonic() + STEADY.initial
    scene.kill(f"kin/{names[index]}")
    await asyncio.sleep(1.0)
    found = [name for name, _ in began]
    scene.ledger.objects(found == expected, f"by {strategy.value} {expected} start again, not {found}")
    scene.ledger.objects(all(at >= earliest for _, at in began), f"a back-off until {earliest} was not kept: {began}")


async def turns(scene: Scene) -> None:
    """Who waits for room gets it in turn; a question whose time is up is not handled when its turn comes."""
    passed: list[int] = []
    turnstile = await scene.system.spawn(Turnstile, passed, mailbox=Mailbox(2), name="turnstile")
    await turnstile.tell(Mail())
    await asyncio.sleep(0.001)
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(turnstile.ask(Question(99, 0.0), 0.005))]
    for number in range(4):
        await asyncio.sleep(0.001)
        tasks.append(asyncio.create_task(turnstile.tell(Pass(number))))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    scene.ledger.objects(isinstance(outcomes[0], AskTimeout), f"a question out of time came to {outcomes[0]!r}")
    await asyncio.sleep(0.1)
    scene.ledger.objects(passed == [0, 1, 2, 3], f"four waited in turn, and passed as {passed}")


async def pool(scene: Scene) -> None:
    """Each job of a pool is answered once, by a worker or by the news of its crash, and the pool shrinks in the end."""
    chance = scene.chance("pool")
    size = PoolSize(1, 3, idle_seconds=5.0)
    jobs = await scene.system.spawn(Pool, child(Jobber), size, name="jobs")
    crashes = [chance.random() < 0.2 for _ in range(JOBS)]
    asks = (jobs.ask(Job(number, crash), PATIENCE_SECONDS) for number, crash in enumerate(crashes))
    outcomes = await asyncio.gather(*asks, return_exceptions=True)
    for number, (outcome, crash) in enumerate(zip(outcomes, crashes, strict=True)):
        fine = isinstance(outcome, Refused) and outcome.code == "crashed" if crash else outcome == number
        scene.ledger.objects(fine, f"job {number} of a pool came to {outcome!r}")
    await asyncio.sleep(3 * size.idle_seconds)
    status: PoolStatistics = await jobs.ask(PoolStatus())
    rest = PoolStatistics(workers=1, idle=1, queued=0, done=JOBS)
    scene.ledger.objects(status == rest, f"a pool at rest has {status}")


async def topic(scene: Scene) -> None:
    """What is published reaches each subscriber in order; one that crashes over it stays subscribed."""
    system, chance = scene.system, scene.chance("topic")
    news: Ref[Any] = await system.spawn(Topic, name="news")
    read: list[list[int]] = [[], []]
    for number, seen in enumerate(read):
        reader = await system.spawn(Reader, seen, name=f"reader{number}", backoff=FAST)
        await news.ask(Subscribe(reader, credit=2, capacity=2, overflow=Policy.WAIT))
    fatal = chance.sample(range(ISSUES), 2)  # more would be past the budget of a reader
    for number in range(ISSUES):
        await news.tell(Item(number, number in fatal))
    await asyncio.sleep(5.0)
    scene.ledger.objects(read == [list(range(ISSUES))] * 2, f"the readers of a topic read {read}")


async def watch_in_start(scene: Scene) -> None:
    """What is signalled while an actor starts reaches it when it has started."""
    heard: list[str] = []
    await scene.system.spawn(Nosy, scene.ledger, heard, name="nosy")
    await asyncio.sleep(1.0)
    scene.ledger.objects(heard == ["nobody"], f"who watched nobody while it started heard {heard}")


async def link(scene: Scene) -> None:
    """Over a link that loses, doubles and delays, each number arrives once in the end."""
    system = scene.system
    await system.spawn(Link, name="link")
    await system.spawn(Receiver, scene.ledger, name="receiver")
    courier: Ref[Any] = await system.spawn(Courier, PARCELS, name="courier", restart=temporary)
    await scene.until(lambda: courier.path not in system.cells)
    scene.ledger.objects(scene.ledger.delivered == list(range(PARCELS)), f"arrived: {scene.ledger.delivered}")


async def far(scene: Scene) -> None:
    """What holds between two nodes; every other seed, since it costs as much as the rest together."""
    if scene.seed % 2 == 0:
        await play_far(scene.system, scene.network, scene.ledger, scene.chance("far"))


ACTS = (
    mail,
    questions,
    kills,
    stream,
    shared_budget,
    own_budgets,
    failed_starts,
    names,
    siblings,
    turns,
    pool,
    topic,
    watch_in_start,
    link,
    far,
)
