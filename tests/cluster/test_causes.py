"""One apply, followed through the eleven hops by the causes that the store keeps beside each revision."""

from __future__ import annotations

import pytest

from orchestrator.embedding import Cluster
from orchestrator.identities import MASTERS
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule
from orchestrator.store.history import Record
from tests.cluster.objects import deployment, rolled_out, service
from tests.cluster.witness import chain, records, why

pytestmark = pytest.mark.slow

ADMIN = MASTERS.user
REPLICAS = 3
READY_SECONDS = 3.0
"""Long enough after the start that becoming ready is a change of its own."""


async def _story() -> list[Record]:
    async with Cluster(nodes=3, seed=1) as cluster:
        await cluster.settle()
        cluster.behave(Rule(Behaviour(ready_after_seconds=READY_SECONDS)))
        await cluster.apply(service())
        probe = {"httpGet": {"port": 80}, "periodSeconds": 1}
        await cluster.apply(deployment(replicas=REPLICAS, readinessProbe=probe))
        await cluster.wait("deployment/web", rolled_out)
        await cluster.settle()
        return await records(cluster)


def _of(found: list[Record], prefix: str) -> list[Record]:
    return [record for record in found if record.value.key.startswith(prefix)]


async def test_each_hop_of_an_apply_leads_back_to_the_request() -> None:
    found = await _story()
    by_revision = {record.revision: record for record in found}
    applied = _of(found, "apps/deployments/default/web")[0]
    assert (why(applied).actor, why(applied).revision) == (ADMIN, 0)
    replica_set = _of(found, "apps/replicasets/default/web-")[0]
    assert why(replica_set).actor == "control-plane/controllers/deployment"
    assert why(replica_set).revision == applied.revision
    pods = [record for record in _of(found, "core/pods/default/web-") if record.value.version == 1]
    assert len(pods) == REPLICAS
    for pod in pods:
        assert why(pod).actor == "control-plane/controllers/replicaset"
        assert why(pod).revision == replica_set.revision
        steps = [record for record in _of(found, pod.value.key) if record is not pod]
        bound = steps[0]
        assert (why(bound).actor, why(bound).revision) == ("system:kube-scheduler", pod.revision)
        node = bound.value.fields["spec.nodeName"]
        running = steps[1]
        assert (why(running).actor, why(running).revision) == (f"system:node:{node}", bound.revision)
    slices = _of(found, "discovery.k8s.io/endpointslices/default/web-")
    ready = by_revision[why(slices[-1]).revision]
    node = ready.value.fields["spec.nodeName"]
    story = [(key.split("/")[1], cause.actor) for key, cause in chain(by_revision, slices[-1].revision)]
    assert story == [
        ("endpointslices", "control-plane/controllers/endpointslice"),
        ("pods", f"system:node:{node}"),
        ("pods", f"system:node:{node}"),
        ("pods", "system:kube-scheduler"),
        ("pods", "control-plane/controllers/replicaset"),
        ("replicasets", "control-plane/controllers/deployment"),
        ("deployments", ADMIN),
    ]


async def test_every_revision_has_a_cause_that_leads_to_a_user_or_a_timer() -> None:
    found = await _story()
    by_revision = {record.revision: record for record in found}
    assert len(found) > REPLICAS * 3
    for record in found:
        begin = chain(by_revision, record.revision)[-1][1]
        assert begin.actor
        assert begin.revision == 0


async def test_an_event_answers_to_the_object_that_it_is_about() -> None:
    found = await _story()
    by_revision = {record.revision: record for record in found}
    events = _of(found, "core/events/default/web-")
    assert events
    for event in events:
        assert why(event).actor.startswith("events/")
        parent = by_revision[why(event).revision].value.key
        assert parent.endswith(why(event).key)
