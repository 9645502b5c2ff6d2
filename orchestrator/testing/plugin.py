"""The pytest plugin: fixtures ``cluster``, ``kube_client`` and ``kubeconfig``, and the mark ``cluster``.

An async test that takes ``cluster`` runs on the loop that its runner gives it (pytest-asyncio, anyio), in virtual
time. Where nobody else runs async tests, and with a seed anywhere, it runs on a deterministic loop of its own. A test
that is not async gets a blocking cluster. Nothing of a cluster is imported before a test asks for one.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from actors.testing.seed import seed_of
from orchestrator.collecting import LEISURE

VERSION = "1.37"
"""Of Kubernetes, that is served."""
DEFAULT_NODES = 3
DEFAULT_SEED = 1
FIXTURES = ("cluster", "kube_client", "kubeconfig")
DOORS = ("kubeconfig", "shared_cluster", "shared_kubeconfig")
"""Fixtures for what stands outside: the cluster is served."""
MARK = (
    "cluster(nodes=3, clock='virtual', seed=None, serve=False, shared=False, version='1.37', cpu='', memory=''): "
    "how the cluster of a test is made"
)


@dataclass
class Wish:
    """What a test wants of its cluster, and what was found when it failed."""

    options: dict[str, Any]
    seed: int | None
    shared: bool
    replay: str
    folder: Path
    kubeconfig: Path | None = None
    sections: list[tuple[str, str]] = field(default_factory=list)


WISH = pytest.StashKey[Wish]()


def pytest_addoption(parser: pytest.Parser) -> None:
    try:
        parser.addoption("--seed", type=seed_of, default=None, help="run the tests of clusters with this seed")
    except ValueError:
        pass  # the plugin of the actor library has it already; it means the same


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Async tests with a cluster start it and stop it around themselves, on the loop that runs them."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj) and wants(item):
            item.obj = _around(item, item.obj)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Modules that are imported are no garbage: meanwhile the collector looks rarely."""
    LEISURE.begin()
    try:
        return (yield)
    finally:
        LEISURE.end()


def pytest_collection_finish(session: pytest.Session) -> None:
    """In a session with clusters that stays so, and what was imported is not looked at again: a tenth of a second."""
    if any(wants(item) for item in session.items):
        gc.freeze()
        LEISURE.begin()


def wants(item: Any) -> bool:
    """Whether it takes a fixture of ours; a project may have a ``cluster`` of its own."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return any(known[name][-1].func.__module__ == __name__ for name in FIXTURES if name in known)


def wish(item: pytest.Item | pytest.Module) -> Wish:
    """What the marks of ``item``, the closest first, and the command line say. Raises ``UsageError``."""
    held = item.stash.get(WISH, None)
    if held is not None:
        return held
    options: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers("cluster"))):
        options |= mark.kwargs
    if str(options.pop("version", VERSION)) != VERSION:
        raise pytest.UsageError(f"{item.nodeid}: expected version {VERSION!r}, the one that is served")
    seed = options.pop("seed", None)
    asked = item.config.getoption("--seed")
    seed = asked if asked is not None else seed
    module = isinstance(item, pytest.Module)  # asks for what its tests share
    shared = bool(options.pop("shared", False)) or module
    served = any(name in DOORS for name in getattr(item, "fixturenames", ())) or bool(options.get("serve")) or module
    options = {"nodes": DEFAULT_NODES, "serve": served, "clock": "real" if served or shared else "virtual", **options}
    found = item.stash[WISH] = Wish(options, seed, shared, f"pytest {item.nodeid}", item.path.parent)
    return found


class Starting:
    """Stands for the cluster while the fixtures of an async test are made: the first verb that is awaited starts it."""

    def __init__(self, wished: Wish) -> None:
        self._wished = wished
        self._started: Any = None

    async def begin(self) -> Any:
        if self._started is None:
            self._started = _make(self._wished)
            await self._started.__aenter__()
            if self._wished.kubeconfig is not None:
                self._wished.kubeconfig.write_text(self._started.kubeconfig())
        return self._started

    async def end(self) -> None:
        if self._started is not None:
            await self._started.__aexit__(None, None, None)

    def __getattr__(self, name: str) -> Any:
        if self._started is not None:
            return getattr(self._started, name)

        async def verb(*args: Any, **options: Any) -> Any:
            return await getattr(await self.begin(), name)(*args, **options)

        return verb


class StartingClient:
    """The same for its client."""

    def __init__(self, cluster: Starting) -> None:
        self._cluster = cluster

    def __getattr__(self, name: str) -> Any:
        async def verb(*args: Any, **options: Any) -> Any:
            return await getattr((await self._cluster.begin()).client, name)(*args, **options)

        return verb


def _make(wished: Wish) -> Any:
    from actors.testing import DeterministicLoop
    from orchestrator.embedding import Cluster

    loop = asyncio.get_running_loop()
    seeded = isinstance(loop, DeterministicLoop)
    made = Cluster(**wished.options)
    made.folder = wished.folder
    made.replay = (
        f"{wished.replay} --seed {loop.seed}" if isinstance(loop, DeterministicLoop) and seeded else wished.replay
    )
    return made


def _around(item: pytest.Function, test: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(test)
    async def around(*args: Any, **values: Any) -> None:
        wished = wish(item)
        if wished.shared:
            await test(*args, **values)
        elif wished.seed is None or _is_deterministic():
            await _within(item, wished, functools.partial(test, *args), values)
        else:
            await asyncio.to_thread(_run_seeded, item, wished, functools.partial(test, *args), values)

    return around


def _is_deterministic() -> bool:
    from actors.testing import DeterministicLoop

    return isinstance(asyncio.get_running_loop(), DeterministicLoop)


def _run_seeded(item: pytest.Function, wished: Wish, test: Callable[..., Any], values: dict[str, Any]) -> None:
    from actors.testing import run

    assert wished.seed is not None, "only a test with a seed is run on a loop of its own"
    run(_within(item, wished, test, values), seed=wished.seed, shuffle=True)


async def _within(item: pytest.Function, wished: Wish, test: Callable[..., Any], values: dict[str, Any]) -> None:
    starting: Any = values.get("cluster") or item.funcargs.get("cluster") or Starting(wished)
    cluster = await starting.begin()
    try:
        live = {"cluster": cluster, "kube_client": cluster.client}
        await test(**{name: live.get(name, value) for name, value in values.items()})
    except Exception as failure:
        await _note(wished, cluster, failure)
        raise
    finally:
        await starting.end()


async def _note(wished: Wish, cluster: Any, failure: Exception) -> None:
    from orchestrator.testing.failure import sections

    try:
        wished.sections = await sections(cluster, failure)
    except Exception as error:  # the test's own failure is what counts
        wished.sections = [("cluster", f"it could not be asked: {error!r}")]
    wished.sections.append(("replay", cluster.replay))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run the async tests of clusters that nobody else runs."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj) or not wants(pyfuncitem):
        return None
    if pyfuncitem.funcargs.get("anyio_backend"):
        return None
    wished = wish(pyfuncitem)
    values = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    if wished.shared or wished.options["clock"] == "real":
        asyncio.run(pyfuncitem.obj(**values))
        return True
    from actors.testing import run

    seed = DEFAULT_SEED if wished.seed is None else wished.seed
    run(pyfuncitem.obj(**values), seed=seed, shuffle=True)
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    held = item.stash.get(WISH, None)
    if held is None or call.when != "call" or not report.failed:
        return
    blocking: Any = getattr(item, "funcargs", {}).get("cluster")
    if hasattr(blocking, "call") and call.excinfo is not None and isinstance(call.excinfo.value, Exception):
        blocking.call(_note(held, blocking.cluster, call.excinfo.value))
    report.sections.extend((f"podium: {title}", text) for title, text in held.sections)


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A cluster for this test alone, or a namespace in one that is shared; blocking where the test is not async."""
    item = request.node
    wished = wish(item)
    is_async = inspect.iscoroutinefunction(item.obj)
    if wished.shared:
        from orchestrator.testing.shared import Tenant

        tenants = request.getfixturevalue("_podium_shared")
        tenants.count += 1
        held = tenants.blocking(wished.options)
        tenant = Tenant(held, f"test-{tenants.count}", awaited=is_async, folder=wished.folder)
        yield tenant
        tenant.leave()
    elif is_async:
        yield Starting(wished)
    else:
        with _blocking(wished) as held:
            yield held


def _blocking(wished: Wish) -> Any:
    from orchestrator.embedding.blocking import BlockingCluster

    if wished.seed is not None:
        raise pytest.UsageError("a seed needs an async test: a thread's timing would show")
    return BlockingCluster(lambda: _make(wished), serve=wished.options["serve"])


class Tenants:
    """The shared clusters of a session, each started when the first test asks for one that is made like it."""

    def __init__(self) -> None:
        self.count = 0
        self._held: list[tuple[dict[str, Any], Any]] = []

    def blocking(self, options: dict[str, Any]) -> Any:
        """The one made with ``options``; one that is served does for a test that does not ask for a door."""
        for made, held in self._held:
            if made in (options, {**options, "serve": True}):
                return held
        from orchestrator.embedding import Cluster

        started = Cluster.start(**options)
        self._held.append((options, started))
        return started

    def stop(self) -> None:
        for _, held in self._held:
            held.stop()


@pytest.fixture(scope="session")
def _podium_shared() -> Iterator[Tenants]:
    tenants = Tenants()
    yield tenants
    tenants.stop()


@pytest.fixture(scope="module")
def shared_cluster(request: pytest.FixtureRequest, _podium_shared: Tenants) -> Any:
    """The cluster that a module's ``shared`` tests have their namespaces in, blocking: for fixtures of the module."""
    return _podium_shared.blocking(wish(request.node).options)


@pytest.fixture(scope="module")
def shared_kubeconfig(shared_cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that an operator reaches it by that runs beside all tests of the module."""
    path = tmp_path_factory.mktemp("shared") / "kubeconfig"
    path.write_text(shared_cluster.kubeconfig())
    return path


@pytest.fixture
def kube_client(request: pytest.FixtureRequest, cluster: Any) -> Any:
    """The typed client of the test's cluster (``get(PODS, name, namespace)``), for async tests."""
    return StartingClient(cluster) if isinstance(cluster, Starting) else cluster.client


@pytest.fixture
def kubeconfig(request: pytest.FixtureRequest, cluster: Any, tmp_path: Path) -> Path:
    """The file that kubectl and client libraries reach the test's cluster by."""
    path = tmp_path / "kubeconfig"
    if isinstance(cluster, Starting):
        wish(request.node).kubeconfig = path  # written when the cluster is up
    else:
        path.write_text(cluster.kubeconfig())
    return path
