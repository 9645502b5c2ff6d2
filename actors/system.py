"""The system: the root of the tree, and what all actors of a process share."""

from __future__ import annotations

import asyncio
import contextvars
import random
import weakref
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar

import anyio
import anyio.to_thread
import structlog

from actors import current, lifecycle
from actors.actor import Actor
from actors.asks import DOWN, REFUSED, Asks
from actors.call import read_call
from actors.cell import Cell, State
from actors.clock import Clock, LoopClock
from actors.codec import Codec, Frame, Header, Route
from actors.dead_letters import DeadLetters
from actors.errors import NameTaken, Refused, StartFailed, SystemClosed
from actors.exit import CRASHED, KILLED, Exit
from actors.groups import Groups
from actors.heap import keep_heap
from actors.keeper import Keeper
from actors.message import Message
from actors.names import Names
from actors.overseer import Root, make
from actors.ref import Ref
from actors.remoting import chase
from actors.remoting.dialer import BACKOFF, CONNECT_SECONDS, Dialer
from actors.remoting.limits import Limits
from actors.remoting.network import Network, SocketNetwork
from actors.remoting.placement import Placed
from actors.remoting.process import NodeProcess
from actors.remoting.ref import RemoteRef
from actors.remoting.remoting import Remoting, check_node_name
from actors.remoting.security import Security
from actors.spans import Spans, configured_spans
from actors.statistics import Node, Statistics, SystemStatistics
from actors.supervision import Backoff, ChildSpec, DynamicSupervisor, Intensity, Supervisor, child
from actors.worker import Workers

T = TypeVar("T")
Tap = Callable[[Header, Frame], object]

MAX_THREADS = 16
"""Threads for ``context.blocking``; more calls wait their turn."""

log = structlog.get_logger("actors")


RUNNING: weakref.WeakSet[System] = weakref.WeakSet()
"""Systems that were started and not stopped: a test may not leave one behind."""


class System:
    """Actors of one process. ``async with System() as system:`` starts it and stops everything at the end.

    ``intensity`` is the budget of each actor without a parent.
    ``name`` is the node's name among other nodes. ``seed`` makes all randomness repeatable; ``tap(header, frame)`` sees
    every frame that is put into a mailbox.
    ``spans`` is told of handlers; by default OpenTelemetry is, where a provider is set up when the system starts.
    """

    def __init__(
        self,
        name: str = "local",
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        tap: Tap | None = None,
        stop_seconds: float = 30.0,
        intensity: Intensity | None = None,
        spans: Spans | Literal["configured"] | None = "configured",
        network: Network | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.name = check_node_name(name)
        self.remoting = Remoting(self, network or SocketNetwork(), limits or Limits())
        self._intensity = intensity or Intensity()
        self.tap = tap
        self.spans: Spans | None = None
        self._given_spans = spans
        self.cells: dict[str, Cell] = {}
        self.envelopes: dict[type[Message], bytes] = {}
        self.spawned = self.restarts = self.crashes = 0
        self.context = contextvars.Context()
        self._specs: dict[Any, ChildSpec] = {}
        self.names = Names(self)
        self.groups = Groups(self)
        self._given_clock = clock
        self.seed = seed
        self._stop_seconds = stop_seconds
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._running = False

    async def __aenter__(self) -> System:
        keep_heap()
        self.loop = asyncio.get_running_loop()
        self.clock: Clock = self._given_clock or LoopClock(self.loop)
        self.context = contextvars.copy_context()
        self.context.run(current.actor.set, None)
        self._machine = random.Random()  # one for all: each of its own would be 2.5 KB an actor
        self._sources: dict[str, int] = {}
        # Of a seeded system, which is a test: how many sources there were for a path.
        self.random = self.random_for("")
        self.spans = configured_spans() if self._given_spans == "configured" else self._given_spans
        self.codec = Codec(self.ref)
        self.asks = Asks(self)
        self.dead_letters = DeadLetters(self)
        self.workers = Workers(self)
        self._threads = anyio.CapacityLimiter(MAX_THREADS)
        self.root = Cell(self, None, "", "", ChildSpec(Root))
        await lifecycle.start(self.root)
        self.root.keeper = Keeper(self.root, intensity=self._intensity)
        self._running = True
        RUNNING.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop everything, the youngest first; what is not done after ``stop_seconds`` is cancelled."""
        if not self._running:
            return
        RUNNING.discard(self)
        self._running = False
        stopping = self.create_task(lifecycle.stop(self.root), "stop the system")
        if not await lifecycle.settled(self.clock, self._stop_seconds, [stopping]):
            log.error("the system did not stop in time", system=self.name, after_seconds=self._stop_seconds)
        for task in list(self._tasks):
            task.cancel()
        await self.workers.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.remoting.stop()
        self.asks.stop()

    # Other nodes

    async def listen(self, address: str, security: Security) -> str:
        """Let other nodes connect at ``address``: ``tcp://host:port`` or ``unix:///path``. The address that it became.

        Raises ``OSError`` when the address cannot be had.
        """
        return await self.remoting.listen(address, security)

    async def connect(
        self,
        address: str,
        security: Security,
        *,
        timeout: float | None = CONNECT_SECONDS,
        backoff: Backoff = BACKOFF,
    ) -> Dialer:
        """Keep a connection to the node at ``address``: one that breaks is dialled again, with back-off.

        Waits ``timeout`` seconds at most for the first one; None: does not wait. Raises ``Unreachable`` and, when the
        other side says no, ``PeerRefused``; then nothing is dialled again.
        """
        return await self.remoting.connect(address, security, timeout, backoff)

    async def spawn_node(
        self, name: str, *, setup: Any = None, args: Sequence[Any] = (), loop: str | None = None, **options: Any
    ) -> Ref[Any]:
        """Start a worker process that is the node ``name``; ``spawn(..., node=name)`` places actors there.

        What is returned is the actor that owns the process: it crashes with it, and ``options`` (of ``child``) say
        whether it is started again. ``setup``, an importable coroutine function, is called there with the system and
        ``args``; what it returns is the first argument of the factories of placed actors. Raises ``StartFailed``.
        """
        check_node_name(name)
        options.setdefault("name", f"node-{name}")
        return await self.spawn(lambda: NodeProcess(name, setup=setup, args=args, loop=loop), **options)

    # Actors

    async def spawn(
        self,
        what: Callable[..., Any] | ChildSpec | Supervisor | DynamicSupervisor,
        *args: Any,
        name: str | None = None,
        parent: Ref[Any] | None = None,
        **options: Any,
    ) -> Ref[Any]:
        """Start an actor under the root (or ``parent``); returns when its ``start`` is done.

        With ``node`` it runs on that node: ``what`` is imported there by its name, the arguments travel in a message.

        ``options`` are those of ``child``. Raises ``StartFailed`` and ``NameTaken``.
        """
        cell = self.root if parent is None else self._parent(parent)
        return await self.spawn_under(cell, what, args, name, options)

    async def spawn_under(
        self, parent: Cell, what: Any, args: tuple[Any, ...], name: str | None, options: dict[str, Any]
    ) -> Ref[Any]:
        """What ``spawn`` and ``context.spawn`` share: a child of ``parent``."""
        node = options.pop("node", None)
        if node is not None:
            what, args = Placed, (node, what, *args)
        if not self._running or parent.state not in (State.RUNNING, State.STARTING):
            raise SystemClosed(self.name)
        if isinstance(what, ChildSpec):
            spec, name = what, name or what.name
        elif isinstance(what, type) and not options and not args:
            spec = self._plain_spec(what)
        else:
            spec = child(what, *args, **options)
        if parent.keeper is None:
            parent.keeper = Keeper(parent)
        keeper = parent.keeper
        name = name or _free_name(keeper, spec)
        if name in keeper.children or "/" in name or not name:
            raise NameTaken(name)
        path = f"{parent.path}/{name}" if parent.path else name
        cell = Cell(self, parent, name, path, spec)
        self.cells[path] = keeper.children[name] = cell
        self.spawned += 1
        waits = current.handling(parent)
        if waits:
            parent.asking = cell  # a child whose start asks its parent would wait for ever
        try:
            await lifecycle.start(cell)
        except BaseException as error:
            cell.ordered = True
            lifecycle.finish(cell, Exit(CRASHED, str(error)))
            raise
        finally:
            if waits:
                parent.asking = None
        return cell.ref

    def _plain_spec(self, factory: Any) -> ChildSpec:
        """Specs without options are shared: an actor need not hold one of its own."""
        spec = self._specs.get(factory)
        if spec is None:
            spec = self._specs[factory] = child(factory)
        return spec

    async def stop_actor(self, ref: Ref[Any]) -> None:
        """End an actor for good, with its children. Returns when it is dead; at once when there is none."""
        cell = self.cell_of(ref)
        if cell is not None:
            await lifecycle.stop(cell)

    def kill(self, path: str) -> bool:
        """End an instance as a crash would; its supervisor acts. False when none is running at ``path``."""
        cell = self.cells.get(path)
        if cell is None or cell.state is not State.RUNNING:
            return False
        cell.end(Exit(KILLED, "killed by order"))
        return True

    def ref(self, path: str, node: str | None = None) -> Ref[Any]:
        """The address ``path`` here or on another ``node``, whether or not an actor is there now.

        On another node the path may also be a registered name.
        """
        if node is not None and node != self.name:
            return RemoteRef(self, node, path)
        cell = self.cells.get(path)
        return cell.ref if cell is not None else Ref(self, path)

    def cell_of(self, ref: Ref[Any]) -> Cell | None:
        """What runs at ``ref`` in this system."""
        return self.cells.get(ref.path) if ref.node == self.name else None

    def follow(self, asker: Cell, target: Cell) -> None:
        """``asker`` asked ``target``, which waits for an actor of another node: it may wait for ``asker``."""
        chase.begin(self, self.name, asker.asked, asker.path, target)

    def forwarded(self, frame: Frame, by: Cell, to: Ref[Any]) -> None:
        """``by`` passed a frame on: who asked, if somebody did, waits for ``to`` now."""
        chase.forwarded(self, frame, by, to)

    def register(self, name: str, ref: Ref[Any]) -> None:
        """Give the actor at ``ref`` a name until it ends for good. Raises ``NameTaken``; ``Down`` if none is there."""
        self.names.register(name, ref)

    def unregister(self, name: str) -> bool:
        """Take a name away. False when nobody has it."""
        return self.names.unregister(name)

    def whereis(self, name: str) -> Ref[Any] | None:
        """The living actor registered under ``name``, or at that path."""
        ref = self.names.find(name)
        cell = self.cells.get(name) if ref is None else None
        return cell.ref if cell is not None else ref

    async def idle(self) -> None:
        """Wait until no actor has mail that it could handle now, no handler runs and no restart is under way.

        Pending timers do not count, and so no back-offs.
        """
        await self.workers.until_idle()

    def tree(self) -> Node:
        """A picture of all actors as it is now."""
        return _picture(self.root)

    @property
    def running(self) -> bool:
        """Between the end of the start and the beginning of the stop."""
        return self._running

    def statistics(self) -> SystemStatistics:
        """The figures as they are now."""
        return SystemStatistics(
            actors=len(self.cells),
            spawned=self.spawned,
            restarts=self.restarts,
            crashes=self.crashes,
            dead_letters=dict(self.dead_letters.counts),
            asks=len(self.asks.waiting),
            workers=len(self.workers),
        )

    def statistics_of(self, ref: Ref[Any]) -> Statistics | None:
        """One actor's figures as they are now, across its restarts; None when there is no such actor here."""
        cell = self.cell_of(ref)
        return None if cell is None else cell.statistics()

    # What the library's modules share

    def random_for(self, path: str) -> random.Random:
        """A source of randomness for the actor at ``path``: from the machine, or by seed, path, and how many had it
        before. Who comes after another must not draw what that one drew: two objects would have one name."""
        if self.seed is None:
            return self._machine
        before = self._sources.get(path, 0)
        self._sources[path] = before + 1
        return random.Random(f"{self.seed}/{path}#{before}" if before else f"{self.seed}/{path}")

    def make(self, cell: Cell) -> Actor:
        """A new instance of ``cell``'s actor."""
        return make(cell)

    def create_task(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """A task of the library's own, kept until it ends, in a context that belongs to no actor."""
        task = self.loop.create_task(coroutine, name=name, context=self.context.copy())
        self._tasks[task] = None
        task.add_done_callback(self._task_ended)
        return task

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        del self._tasks[task]
        if not task.cancelled() and task.exception() is not None:
            log.critical("a task of the actor library crashed", task=task.get_name(), exc_info=task.exception())

    async def blocking(self, function: Callable[..., T], *args: Any) -> T:
        """Run ``function(*args)`` in a thread of the system's bounded pool."""
        return await anyio.to_thread.run_sync(function, *args, limiter=self._threads, abandon_on_cancel=True)

    def observe(self, path: str, frame: Frame) -> None:
        """Show the tap a frame that is put into the mailbox at ``path``."""
        assert self.tap is not None, "only called with a tap"
        self.tap(self.codec.header(path, frame), frame)

    def refuse(self, correlation: int, refusal: Refused) -> None:
        """Answer an ask with ``Refused``."""
        try:
            body = self.codec.encode_value((refusal.code, refusal.message, refusal.detail))
        except TypeError:
            body = self.codec.encode_value((refusal.code, refusal.message, repr(refusal.detail)))
        self.asks.answer(correlation, REFUSED, body)

    def answer_down(self, correlation: int, cell: Cell, exit_: Exit) -> None:
        """Answer an ask with ``Down``: the instance of ``cell`` ended as ``exit_`` says."""
        body = self.codec.encode_value((cell.path, exit_.reason, exit_.error, False))
        self.asks.answer(correlation, DOWN, body)

    def undecodable(self, cell: Cell, frame: Frame, route: Route, error: Exception) -> None:
        """A frame that the receiver cannot read: its type is not known here, or its body does not fit the type."""
        correlation, _, _ = read_call(frame[1])
        known = route.decode is not None
        if correlation:
            why = str(error) if known else f"the type {route.type_name} is not known here"
            self.refuse(correlation, Refused("undecodable", why))
        self.dead_letters.publish(cell.path, frame, "undecodable" if known else "unknown type")

    def forget(self, cell: Cell) -> None:
        """Take the address of a dead actor away."""
        if self.cells.get(cell.path) is cell:
            del self.cells[cell.path]

    def _parent(self, ref: Ref[Any]) -> Cell:
        cell = self.cell_of(ref)
        if cell is None:
            raise StartFailed(ref.path, "there is no such parent")
        return cell


def _free_name(keeper: Keeper, spec: ChildSpec) -> str:
    kind = spec.kind().lower()
    while True:
        number = keeper.numbers[kind] = keeper.numbers.get(kind, 0) + 1
        name = f"{kind}-{number}"
        if name not in keeper.children:
            return name


def _picture(cell: Cell) -> Node:
    children = tuple(map(_picture, cell.keeper.children.values())) if cell.keeper else ()
    kind = cell.spec.kind() if cell.actor is None else type(cell.actor).__name__
    return Node(cell.path, kind, cell.state.value, cell.statistics(), children)
