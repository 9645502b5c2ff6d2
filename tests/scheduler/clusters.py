"""Random small clusters and pods, dense in the cases where filters and scores bite."""

from __future__ import annotations

import random
from typing import Any

from tests.scheduler.reference import HOSTNAME, World

Object = dict[str, Any]
MIB = 1024 * 1024
ZONE = "topology.kubernetes.io/zone"
NAMESPACES = {"default": {"team": "a"}, "other": {"team": "b"}}
IMAGES = ("web:1", "db:2", "big:3")
APPS = ("web", "db", "cache")


class Maker:
    """Everything is drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._pods = 0

    def world(self) -> World:
        nodes = [self.node(index) for index in range(self.random.randint(1, 9))]
        world = World(nodes, [], NAMESPACES)
        for _ in range(self.random.randint(0, 14)):
            pod = self.pod()
            pod["spec"]["nodeName"] = self.random.choice(nodes)["metadata"]["name"]
            if self.chance(0.1):
                pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            world.pods.append(pod)
        return world

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def node(self, index: int) -> Object:
        pick = self.random
        labels = {"disk": pick.choice(["ssd", "hdd"]), "cores": str(pick.choice([2, 4, 8]))}
        if self.chance(0.9):
            labels[HOSTNAME] = f"n{index}"
        if self.chance(0.8):
            labels[ZONE] = pick.choice(["a", "b", "c"])
        taints = [
            {"key": pick.choice(["gpu", "old"]), "value": pick.choice(["", "x"]), "effect": effect}
            for effect in ("NoSchedule", "PreferNoSchedule", "NoExecute")
            if self.chance(0.15)
        ]
        allocatable = {
            "cpu": pick.choice(["1", "2", "4"]),
            "memory": pick.choice(["1Gi", "4Gi"]),
            "pods": str(pick.choice([3, 8, 110])),
        }
        if self.chance(0.3):
            allocatable["example.com/gpu"] = "2"
        images = [
            {"names": [name], "sizeBytes": pick.choice([50, 400, 2000]) * MIB} for name in IMAGES if self.chance(0.4)
        ]
        spec: Object = {"taints": taints}
        if self.chance(0.1):
            spec["unschedulable"] = True
        return {
            "metadata": {"name": f"n{index}", "labels": labels},
            "spec": spec,
            "status": {"allocatable": allocatable, "images": images},
        }

    def pod(self) -> Object:
        pick = self.random
        self._pods += 1
        labels = {"app": pick.choice(APPS), "track": pick.choice(["a", "b"])}
        spec: Object = {"containers": [self.container() for _ in range(pick.choice([1, 1, 2]))]}
        if self.chance(0.15):
            spec["initContainers"] = [{**self.container(), **pick.choice([{}, {"restartPolicy": "Always"}])}]
        if self.chance(0.1):
            spec["overhead"] = {"cpu": "50m", "memory": "20Mi"}
        if self.chance(0.15):
            spec["nodeSelector"] = {"disk": "ssd"}
        if self.chance(0.3):
            spec["tolerations"] = [self.toleration() for _ in range(pick.choice([1, 2]))]
        if self.chance(0.5):
            spec["affinity"] = self.affinity()
        if self.chance(0.35):
            spec["topologySpreadConstraints"] = [self.spread() for _ in range(pick.choice([1, 2]))]
        metadata = {"name": f"p{self._pods}", "uid": f"u{self._pods}", "labels": labels}
        return {"metadata": {**metadata, "namespace": pick.choice(list(NAMESPACES))}, "spec": spec}

    def container(self) -> Object:
        pick = self.random
        container: Object = {"image": pick.choice(IMAGES)}
        if self.chance(0.8):
            requests = {"cpu": pick.choice(["0", "100m", "300m", "1"]), "memory": pick.choice(["64Mi", "300Mi", "1Gi"])}
            if self.chance(0.1):
                requests["example.com/gpu"] = "1"
            container["resources"] = {"requests": requests}
        if self.chance(0.15):
            container["ports"] = [{"hostPort": 80, **pick.choice([{}, {"hostIP": "10.0.0.1"}, {"protocol": "UDP"}])}]
        return container

    def toleration(self) -> Object:
        pick = self.random
        how: Object = pick.choice([{"operator": "Exists"}, {"operator": "Equal", "value": "x"}, {"value": ""}])
        return {
            **how,
            **pick.choice([{}, {"effect": "NoSchedule"}, {"effect": "PreferNoSchedule"}]),
            "key": pick.choice(["gpu", "old"]),
        }

    def affinity(self) -> Object:
        pick = self.random
        affinity: Object = {}
        if self.chance(0.3):
            affinity["nodeAffinity"] = {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [self.node_term() for _ in range(pick.choice([1, 2]))]
                }
            }
        if self.chance(0.4):
            affinity.setdefault("nodeAffinity", {})["preferredDuringSchedulingIgnoredDuringExecution"] = [
                {"weight": pick.choice([1, 10, 50]), "preference": self.node_term()} for _ in range(pick.choice([1, 2]))
            ]
        for kind in ("podAffinity", "podAntiAffinity"):
            if self.chance(0.35):
                terms = [self.pod_term() for _ in range(pick.choice([1, 1, 2]))]
                affinity.setdefault(kind, {})["requiredDuringSchedulingIgnoredDuringExecution"] = terms
            if self.chance(0.35):
                affinity.setdefault(kind, {})["preferredDuringSchedulingIgnoredDuringExecution"] = [
                    {"weight": pick.choice([1, 7, 100]), "podAffinityTerm": self.pod_term()}
                ]
        return affinity

    def node_term(self) -> Object:
        return self.random.choice(
            [
                {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]},
                {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["2"]}]},
                {"matchExpressions": [{"key": ZONE, "operator": "Exists"}]},
                {"matchExpressions": [{"key": ZONE, "operator": "NotIn", "values": ["a", "b"]}]},
                {"matchExpressions": [{"key": ZONE, "operator": "DoesNotExist"}]},
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n0", "n1", "n2"]}]},
                {},
            ]
        )

    def pod_term(self) -> Object:
        pick = self.random
        term: Object = {"topologyKey": pick.choice([HOSTNAME, ZONE, "disk"])}
        if self.chance(0.9):
            term["labelSelector"] = self.selector()
        if self.chance(0.2):
            term["namespaces"] = ["other"]
        if self.chance(0.2):
            term["namespaceSelector"] = pick.choice([{}, {"matchLabels": {"team": "a"}}])
        if "labelSelector" in term and self.chance(0.15):
            term[pick.choice(["matchLabelKeys", "mismatchLabelKeys"])] = ["track"]
        return term

    def selector(self) -> Object:
        return self.random.choice(
            [
                {"matchLabels": {"app": self.random.choice(APPS)}},
                {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]},
                {"matchExpressions": [{"key": "track", "operator": "Exists"}]},
                {},
            ]
        )

    def spread(self) -> Object:
        pick = self.random
        spread: Object = {
            "topologyKey": pick.choice([HOSTNAME, ZONE, ZONE]),
            "maxSkew": pick.choice([1, 2, 3]),
            "whenUnsatisfiable": pick.choice(["DoNotSchedule", "ScheduleAnyway"]),
            "labelSelector": self.selector(),
        }
        if spread["whenUnsatisfiable"] == "DoNotSchedule" and self.chance(0.3):
            spread["minDomains"] = pick.choice([2, 4])
        if self.chance(0.3):
            spread["nodeAffinityPolicy"] = pick.choice(["Honor", "Ignore"])
        if self.chance(0.3):
            spread["nodeTaintsPolicy"] = pick.choice(["Honor", "Ignore"])
        if self.chance(0.2):
            spread["matchLabelKeys"] = ["track"]
        return spread
