"""Transcripts: nodes, pods and time go in, decisions and reasons come out, as text that is read like a story.

A file is a sequence of ``> command`` lines, each followed by what came of it. ``python -m tests.scheduler.transcript
--write`` writes the outputs anew; the difference is reviewed like code. Objects are given in YAML's flow style:
``> node n1 {cpu: 4, labels: {disk: ssd}}``, ``> pod web {cpu: 2, priority: 5}``.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

from orchestrator.apimachinery.encoded import encode
from orchestrator.apimachinery.selectors import from_label_selector
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.view import Parts, View
from orchestrator.scheduler.configuration import API_VERSION, KIND, read
from orchestrator.scheduler.engine import Engine
from orchestrator.scheduler.node_facts import node_facts
from orchestrator.scheduler.outcome import Assignment, Outcome
from orchestrator.scheduler.pod_facts import pod_facts
from orchestrator.scheduler.preemption import Budget
from orchestrator.scheduler.volume_facts import claim_facts, class_facts, volume_facts
from tests import retelling

FOLDER = Path(__file__).parent / "testdata"
Object = dict[str, Any]


class Story:
    """Runs the commands of one file. Time stands still but for ``advance``."""

    def __init__(self) -> None:
        self._now = 0.0
        self._pods: dict[str, Object] = {}
        self._created = 0
        self._engine = self._made([])

    def _made(self, profiles: list[Object]) -> Engine:
        document: Object = {"apiVersion": API_VERSION, "kind": KIND}
        if profiles:
            document["profiles"] = profiles
        return Engine(random.Random(1), lambda namespace, owner: None, read(document, offers={}))

    def run(self, command: str) -> list[str]:
        verb, _, rest = command.partition(" ")
        name, _, text = rest.partition(" ")
        given = yaml.safe_load(text) if text else {}
        found: list[str] = getattr(self, f"do_{verb}")(name, given) or []
        return found

    def do_profiles(self, name: str, given: list[Object]) -> None:
        self._engine = self._made(given)

    def do_node(self, name: str, given: Object) -> None:
        labels = {"kubernetes.io/hostname": name, **given.pop("labels", {})}
        room = {"cpu": str(given.pop("cpu", 4)), "memory": given.pop("memory", "8Gi"), "pods": given.pop("pods", "110")}
        status = {"allocatable": room | given.pop("more", {})}
        node = {"metadata": {"name": name, "labels": labels}, "spec": given, "status": status}
        self._engine.node(name, node_facts(node), self._now)

    def do_pod(self, name: str, given: Object) -> None:
        self._created += 1
        requests = {key: str(given.pop(key)) for key in ("cpu", "memory") if key in given}
        container = {"name": "c", "image": "x", "resources": {"requests": requests}}
        metadata = {"name": name, "namespace": "default", "uid": name, "labels": given.pop("labels", {})}
        metadata["creationTimestamp"] = rfc3339(self._created)
        started = rfc3339(given.pop("started", self._created))
        status = {"startTime": started} if "nodeName" in given else {}
        if "nominated" in given:
            status["nominatedNodeName"] = given.pop("nominated")
        self._pods[name] = {"metadata": metadata, "spec": {"containers": [container], **given}, "status": status}
        self._tell(name)

    def do_change(self, name: str, given: Object) -> None:
        """Fields of the spec; null takes one away."""
        spec = {**self._pods[name]["spec"], **given}
        self._pods[name]["spec"] = {key: value for key, value in spec.items() if value is not None}
        self._tell(name)

    def do_terminate(self, name: str, given: Object) -> None:
        self._pods[name]["metadata"]["deletionTimestamp"] = rfc3339(self._now)
        self._tell(name)

    def do_delete(self, name: str, given: Object) -> None:
        del self._pods[name]
        self._engine.pod(f"default/{name}", None, self._now)

    def do_remove(self, name: str, given: Object) -> None:
        self._engine.node(name, None, self._now)

    def do_budget(self, name: str, given: Object) -> None:
        selector = from_label_selector({"matchLabels": given["labels"]})
        self._engine.budgets[name] = Budget("default", selector, given["allowed"])

    def do_class(self, name: str, given: Object) -> None:
        held = {"provisioner": "made.example.com", "volumeBindingMode": "WaitForFirstConsumer", **given}
        self._engine.storage_class(name, class_facts(held), self._now)

    def do_claim(self, name: str, given: Object) -> None:
        annotations = given.pop("annotations", {})
        metadata = {"name": name, "namespace": "default", "uid": name, "annotations": annotations}
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **given}
        facts = claim_facts({"metadata": metadata, "spec": spec})
        self._engine.claim(facts.key, facts, self._now)

    def do_volume(self, name: str, given: Object) -> None:
        node = given.pop("node", None)
        spec = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, **given}
        if node is not None:
            term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
            spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [term]}}
        volume = {"metadata": {"name": name}, "spec": spec, "status": {"phase": "Available"}}
        self._engine.volume(name, volume_facts(volume), self._now)

    def do_advance(self, seconds: str, given: Object) -> None:
        self._now += float(seconds)

    def do_fail(self, name: str, given: Object) -> None:
        """The binding of the pod was refused."""
        self._engine.binding_failed(Assignment(f"default/{name}", name, ""), self._now)

    def do_decide(self, name: str, given: Object) -> list[str]:
        """Schedule; the bindings are not confirmed."""
        return self._tell_outcome(self._engine.schedule(self._now))

    def do_schedule(self, name: str, given: Object) -> list[str]:
        outcome = self._engine.schedule(self._now)
        lines = self._tell_outcome(outcome)
        for each in outcome.assignments:
            self._pods[each.uid]["spec"]["nodeName"] = each.node
            self._tell(each.uid)
        return lines

    def _tell_outcome(self, outcome: Outcome) -> list[str]:
        lines = [f"{each.uid} -> {each.node}" for each in outcome.assignments]
        lines += self._volume_lines(outcome)
        for refusal in outcome.refusals:
            lines.append(f"{refusal.uid}: {refusal.message}")
            lines += [f"  preempts {victim.name} on {victim.node}" for victim in refusal.victims]
            lines += [f"  displaces {held.name} from {held.node}" for held in refusal.displaced]
            if refusal.nominated is not None:
                lines.append(f"  nominated: {refusal.nominated or 'nowhere'}")
        return lines or ["nothing"]

    def _volume_lines(self, outcome: Outcome) -> list[str]:
        lines: list[str] = []
        for work in outcome.volumes:
            lines.append(f"{work.assignment.uid} will go to {work.assignment.node}")
            lines += [f"  {claim.name} takes {volume.name}" for volume, claim in work.plan.taken]
            lines += [f"  {claim.name} is made there" for claim in work.plan.made]
        return lines

    def do_queue(self, name: str, given: Object) -> list[str]:
        queue = self._engine.statistics().queue
        wake = self._engine.next_wake(self._now)
        when = "by events alone" if wake is None else f"in {wake:g} s"
        return [f"{queue.active} active, {queue.backoff} in back-off, {queue.unschedulable} unschedulable; {when}"]

    def _tell(self, name: str) -> None:
        facts = pod_facts(View(encode(self._pods[name]), Parts()))
        self._engine.pod(facts.key, facts, self._now)


def retell(text: str) -> str:
    """The transcript as a fresh story tells it."""
    return retelling.retell(text, Story().run)


if __name__ == "__main__":
    retelling.review(FOLDER, retell)
