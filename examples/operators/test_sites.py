"""The operator of ``sites.py`` against a whole cluster, over HTTPS: one runs for all tests, each has a namespace."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kopf
import pytest
import sites
import uvloop
import yaml
from kopf.testing import KopfRunner

from orchestrator import Cluster, StatusError
from orchestrator.embedding.blocking import BlockingCluster

pytestmark = pytest.mark.cluster(nodes=1, shared=True)

DEFINITION = yaml.safe_load(sites.DEFINITION)
HANDLERS = kopf.get_default_registry()
"""Those of ``sites``; kopf's own runner imports the file again and has others."""


class Operator:
    """kopf ends every task of its loop when it stops, so it has a thread with one of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, "operator")
        self._stop = threading.Event()
        self._life: Future[None] | None = None
        self.options: dict[str, Any] = {}

    def start(self, **options: Any) -> None:
        """Unless it runs."""
        if self._life is None:
            self.options, self._stop = options, threading.Event()
            usual = {"registry": HANDLERS, "clusterwide": True, "standalone": True, "stop_flag": self._stop}
            self._life = self._threads.submit(run, kopf.operator(**usual, **options))

    def stop(self) -> None:
        """It has ended afterwards. Raises what it ended with."""
        self._stop.set()
        life, self._life = self._life, None
        if life is not None:
            life.result()


def run(operator: Coroutine[Any, Any, None]) -> None:
    """On the loop that ``kopf run`` has."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(operator)


@pytest.fixture(scope="module")
def definition(shared_cluster: BlockingCluster) -> None:
    shared_cluster.apply(sites.DEFINITION)
    shared_cluster.wait("crd/sites.example.com", "Established")


@pytest.fixture(scope="module")
def operators(definition: None, shared_kubeconfig: Path) -> Iterator[Operator]:
    """The operator of the cluster that these tests share; at first it does not run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(shared_kubeconfig))
        held = Operator()
        yield held
        held.stop()


@pytest.fixture
def operator(operators: Operator) -> Iterator[Operator]:
    """It runs; the next test has it with the usual options again."""
    operators.start()
    yield operators
    if operators.options:
        operators.stop()


def site(name: str, **spec: Any) -> dict[str, Any]:
    given = {"host": f"{name}.example.com", **spec}
    return {"apiVersion": "example.com/v1", "kind": "Site", "metadata": {"name": name}, "spec": given}


def ready(number: int) -> Callable[[Any], bool]:
    """The daemon counts pods while the handler is still at it: both have said what they have to."""
    said = {"ready": number, "phase": "Deployed"}
    return lambda found: found is not None and said.items() <= found.get("status", {}).items()


async def test_a_site_is_deployed_and_says_how_many_pods_are_ready(cluster: Cluster, operator: Operator) -> None:
    await cluster.apply(site("web", replicas=2))
    made = await cluster.wait("site/web", ready(2))
    assert made.status.phase == "Deployed"
    assert made.metadata.finalizers == ["example.com/site"]
    child = await cluster.get("deployment/web")
    assert child.metadata.ownerReferences[0]["uid"] == made.metadata.uid
    assert (await cluster.get("service/web")).spec.selector["site"] == "web"


async def test_its_children_are_collected_and_its_host_is_free_again(cluster: Cluster, operator: Operator) -> None:
    await cluster.apply(site("web"))
    await cluster.wait("site/web", ready(1))
    assert (await cluster.get("configmap/hosts")).data["web.example.com"] == "web"
    await cluster.delete("site/web")
    await cluster.wait("site/web", "deleted")
    await cluster.wait("deployment/web", "deleted")
    assert "web.example.com" not in (await cluster.get("configmap/hosts")).get("data", {})


async def test_one_field_is_scaled_and_another_rolled_out(cluster: Cluster, operator: Operator) -> None:
    await cluster.apply(site("web"))
    await cluster.wait("site/web", ready(1))
    await cluster.apply(site("web", replicas=3))
    await cluster.wait("site/web", ready(3))
    await cluster.apply(site("web", replicas=3, image="nginx:2"))
    await cluster.wait("deployment/web", image("nginx:2"))


def image(name: str) -> Callable[[Any], bool]:
    return lambda found: found.spec.template.spec.containers[0]["image"] == name


async def test_a_page_is_a_sub_handler_of_its_own(cluster: Cluster, operator: Operator) -> None:
    await cluster.apply(site("web", pages={"index": "hello", "about": "us"}))
    await cluster.wait("site/web", lambda found: found.get("status", {}).get("publish/about"))
    assert (await cluster.get("configmap/web-index")).data == {"text": "hello"}
    await cluster.apply(site("web", pages={"index": "good day"}))
    await cluster.wait("configmap/web-index", lambda found: found.data["text"] == "good day")


async def test_a_host_that_is_taken_is_asked_for_again_until_it_is_free(cluster: Cluster, operator: Operator) -> None:
    await cluster.apply(site("one", host="www.example.com"))
    await cluster.wait("site/one", ready(1))
    await cluster.apply(site("two", host="www.example.com"))
    await cluster.wait("site/two", lambda found: "annotations" in found.metadata)
    assert await cluster.find("deployment/two") is None
    await cluster.delete("site/one")
    await cluster.wait("site/two", ready(1))


async def test_what_cannot_be_right_is_refused_once_with_an_event(cluster: Cluster, operator: Operator) -> None:
    await cluster.apply(site("web", host="http://example.com"))
    await cluster.wait("site/web", lambda found: found.get("status", {}).get("phase") == "Refused")
    while not (events := [one for one in await cluster.list("events") if one.reason == "BadHost"]):
        await cluster.pause(0.01)
    assert events[0].type == "Warning"
    assert await cluster.find("deployment/web") is None


async def test_the_server_refuses_what_the_definition_rules_out(cluster: Cluster, definition: None) -> None:
    with pytest.raises(StatusError, match="at most five replicas"):
        await cluster.apply(site("web", replicas=6))


async def test_a_timer_ends_what_has_expired(cluster: Cluster, operator: Operator) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.05)
    await cluster.apply(site("web", expires=soon.isoformat()))
    await cluster.wait("site/web", "deleted")


async def test_what_happened_while_it_was_away_is_done_when_it_is_back(cluster: Cluster, operator: Operator) -> None:
    await cluster.apply(site("web"))
    await cluster.wait("site/web", ready(1))
    operator.stop()
    await cluster.apply(site("web", replicas=2))
    await cluster.delete("service/web")
    operator.start()
    await cluster.wait("site/web", ready(2))
    await cluster.wait("service/web", "exists")


async def test_a_kind_that_is_defined_later_is_served_from_then_on(cluster: Cluster, operator: Operator) -> None:
    await cluster.delete("crd/sites.example.com")
    await cluster.wait("crd/sites.example.com", "deleted")
    await cluster.apply(sites.DEFINITION)
    await cluster.wait("crd/sites.example.com", "Established")
    await cluster.apply(site("web"))
    looks = 0
    while not ready(1)(await cluster.get("site/web")):  # kopf passes over what was there when it began to watch
        looks += 1
        await cluster.apply({**DEFINITION, "metadata": {**DEFINITION["metadata"], "labels": {"looks": str(looks)}}})
        await cluster.pause(0.05)


async def test_it_may_begin_with_a_streamed_list(cluster: Cluster, operator: Operator) -> None:
    operator.stop()
    await cluster.apply(site("web"))
    settings = kopf.OperatorSettings()
    settings.watching.initial_streaming = True
    operator.start(settings=settings)
    await cluster.wait("site/web", ready(1))
    await cluster.apply(site("two"))
    await cluster.wait("site/two", ready(1))


def test_kopfs_own_runner_beside_a_blocking_cluster(cluster: Any, operators: Operator) -> None:
    operators.stop()
    with KopfRunner(["run", "--all-namespaces", "--standalone", sites.__file__], registry=kopf.OperatorRegistry()):
        cluster.apply(site("web"))
        cluster.wait("site/web", ready(1))
