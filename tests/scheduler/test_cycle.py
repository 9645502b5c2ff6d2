"""The arrays against the reference: same nodes, scores and reasons, and each pod of a run on a best node."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from orchestrator.scheduler.cycle import Run, schedule
from orchestrator.scheduler.node_facts import node_facts
from orchestrator.scheduler.plugins.volume_binding import plan_volumes
from orchestrator.scheduler.profiles import default_profile
from orchestrator.scheduler.shape import Shape, shape_of
from orchestrator.scheduler.snapshot import Placed, Snapshot
from orchestrator.scheduler.volume_facts import claim_facts, class_facts, volume_facts
from orchestrator.scheduler.volumes import VolumePlan
from tests.scheduler import reference
from tests.scheduler.clusters import Maker
from tests.scheduler.reference import World
from tests.scheduler.reference_volumes import outright

Object = dict[str, Any]
PROFILE = default_profile()
RUN = 4
PROVE_CLUSTERS = int(os.environ.get("PROVE_COUNT", "100000"))


def shape(pod: Object, siblings: Object | None = None) -> Shape:
    spec = {**pod["spec"], "nodeName": ""}
    metadata = pod["metadata"]
    return shape_of(spec, metadata["namespace"], metadata.get("labels", {}), siblings, pod=metadata.get("name", ""))


def placed(pod: Object) -> Placed:
    metadata = pod["metadata"]
    return Placed(
        metadata["uid"],
        metadata["namespace"],
        metadata["name"],
        pod["spec"]["nodeName"],
        shape(pod),
        started=float(pod.get("started", 0)),
        terminating="deletionTimestamp" in metadata,
    )


def snapshot(world: World) -> Snapshot:
    made = Snapshot()
    for name, labels in world.namespaces.items():
        made.set_namespace(name, labels)
    for node in world.nodes:
        made.set_node(node_facts(node))
    for pod in world.pods:
        made.place(placed(pod))
    for claim in world.claims:
        facts = claim_facts(claim)
        made.volumes.set_claim(facts.key, facts)
    for volume in world.volumes:
        made.volumes.set_volume(volume["metadata"]["name"], volume_facts(volume))
    made.volumes.classes = {each["metadata"]["name"]: class_facts(each) for each in world.classes}
    made.volumes.limits = world.limits
    return made


def new_run(made: Snapshot, of: Shape, seed: int) -> Run:
    return Run(made, of, PROFILE, random.Random(seed))


def expected_message(world: World, pod: Object) -> str:
    reason = outright(world, pod)
    if reason:
        return f"0/{len(world.nodes)} nodes are available: {reason}."
    reasons: dict[str, int] = {}
    for node in world.nodes:
        for reason in reference.refuses(world, pod, node):
            reasons[reason] = reasons.get(reason, 0) + 1
    listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    return f"0/{len(world.nodes)} nodes are available: {listed}."


def check(seed: int) -> None:
    maker = Maker(seed)
    world, pod = maker.world(), maker.pod()
    siblings = {"matchLabels": {"app": pod["metadata"]["labels"]["app"]}} if maker.chance(0.5) else None
    made, of = snapshot(world), shape(pod, siblings)
    expected = reference.scores(world, pod, siblings)
    totals = new_run(made, of, seed).totals()
    found = {made.names[column]: int(score) for column, score in enumerate(totals) if score >= 0}
    assert found == expected, f"seed {seed}"
    if not expected:
        assert new_run(made, of, seed).diagnosis.message() == expected_message(world, pod), f"seed {seed}"
    check_run(seed, world, made, pod, of, siblings)


def check_run(seed: int, world: World, made: Snapshot, pod: Object, of: Shape, siblings: Object | None) -> None:
    """Each pod of a run goes to a node that is best at that moment; a run that ends early is right to."""
    left = RUN
    while left:
        columns = new_run(made, of, seed).place(left)
        for column in columns:
            expected = reference.scores(world, pod, siblings)
            name = made.names[column]
            assert expected.get(name) == max(expected.values(), default=None), f"seed {seed}, pod {RUN - left}"
            copy = {"metadata": {**pod["metadata"], "uid": f"copy{left}"}, "spec": {**pod["spec"], "nodeName": name}}
            bind_volumes(world, made, plan_volumes(of, made, column), name)
            world.pods.append(copy)
            made.place(Placed(f"copy{left}", of.namespace, "copy", name, of))
            left -= 1
        if not columns:
            assert not reference.scores(world, pod, siblings), f"seed {seed}"
            return


def bind_volumes(world: World, made: Snapshot, plan: VolumePlan, node: str) -> None:
    """Assumed in the snapshot, written in the world: both must say the same afterwards."""
    made.volumes.assume(plan, node)
    claims = {(c["metadata"]["namespace"], c["metadata"]["name"]): c for c in world.claims}
    volumes = {volume["metadata"]["name"]: volume for volume in world.volumes}
    for taken, claim in plan.taken:
        reference = {"namespace": claim.namespace, "name": claim.name, "uid": claim.uid}
        volumes[taken.name]["spec"]["claimRef"] = reference
    for claim in plan.made:
        annotations = claims[claim.namespace, claim.name]["metadata"]["annotations"]
        annotations["volume.kubernetes.io/selected-node"] = node


@pytest.mark.parametrize("block", range(20))
def test_feasible_nodes_scores_and_runs_equal_the_reference(block: int) -> None:
    for seed in range(block * 15, block * 15 + 15):
        check(seed)


@pytest.mark.parametrize("block", range(4))
def test_a_pod_that_is_on_its_way_out_counts_as_one_that_was_placed_so(block: int) -> None:
    for seed in range(block * 15, block * 15 + 15):
        maker = Maker(seed)
        world, pod = maker.world(), maker.pod()
        made, of = snapshot(world), shape(pod)
        new_run(made, of, seed).totals()  # from here on pods are counted as they come and go
        for each in (each for each in world.pods if "deletionTimestamp" not in each["metadata"] and maker.chance(0.5)):
            each["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            made.terminate(made.placed[each["metadata"]["uid"]])
        totals = new_run(made, of, seed).totals()
        found = {made.names[column]: int(score) for column, score in enumerate(totals) if score >= 0}
        assert found == reference.scores(world, pod, None), f"seed {seed}"
        for uid in [each["metadata"]["uid"] for each in world.pods]:
            made.remove(uid)
        assert not any(made.used(name).any() for name in made.resources), f"seed {seed}"


@pytest.mark.prove
def test_a_hundred_thousand_clusters_equal_the_reference() -> None:
    for seed in range(PROVE_CLUSTERS):
        check(1_000_000 + seed)
    print(f"{PROVE_CLUSTERS} clusters decided as the reference decides")


def test_a_cluster_without_nodes_says_so() -> None:
    pod = Maker(1).pod()
    decision = schedule(Snapshot(), shape(pod), PROFILE, random.Random(1))
    assert decision.node == ""
    assert decision.diagnosis is not None
    assert decision.diagnosis.message() == "no nodes available to schedule pods"


def test_ties_are_broken_at_random_and_the_same_for_one_seed() -> None:
    world = World([Maker(1).node(0) for _ in range(1)])
    node = world.nodes[0]
    node["spec"], node["status"]["images"] = {}, []
    world.nodes = [{**node, "metadata": {"name": f"n{index}", "labels": {}}} for index in range(8)]
    pod = {"metadata": {"namespace": "default"}, "spec": {"containers": [{"image": "x"}]}}
    chosen = [schedule(snapshot(world), shape(pod), PROFILE, random.Random(seed)).node for seed in range(30)]
    again = [schedule(snapshot(world), shape(pod), PROFILE, random.Random(seed)).node for seed in range(30)]
    assert chosen == again
    assert len(set(chosen)) > 4
