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
CLAIMS = ("c0", "c1", "c2")
DRIVER = "csi.example.com"


class Maker:
    """Everything is drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._pods = 0
        self._volumes = 0.02
        """How many pods have volumes."""

    def world(self) -> World:
        nodes = [self.node(index) for index in range(self.random.randint(1, 9))]
        world = World(nodes, [], NAMESPACES)
        if self.chance(0.4):
            self._volumes = 0.5
            Storage(self).fill(world)
        for number in range(self.random.randint(0, 14)):
            pod = self.pod()
            pod["started"] = number
            if self.chance(0.5):
                pod["spec"]["priority"] = self.random.choice([3, 5, 20])
            pod["spec"]["nodeName"] = self.random.choice(nodes)["metadata"]["name"]
            if self.chance(0.1):
                pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            world.pods.append(pod)
        return world

    def budgets(self) -> list[Object]:
        """PodDisruptionBudgets: the namespace, the selector, how many more may go."""
        return [
            {
                "namespace": self.random.choice(list(NAMESPACES)),
                "selector": selector,
                "allowed": self.random.choice([0, 1]),
            }
            for selector in ({"matchLabels": {"app": self.random.choice(APPS)}}, {"matchLabels": {"track": "a"}})
            if self.chance(0.4)
        ]

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
        if self.chance(self._volumes):
            spec["volumes"] = [self.volume(index) for index in range(pick.choice([1, 1, 2]))]
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

    def volume(self, index: int) -> Object:
        pick = self.random
        if self.chance(0.15):
            return {"name": f"v{index}", "gcePersistentDisk": {"pdName": "d", "readOnly": pick.choice([True, False])}}
        if self.chance(0.05):
            return {"name": f"v{index}", "ephemeral": {}}
        return {"name": f"v{index}", "persistentVolumeClaim": {"claimName": pick.choice(CLAIMS)}}

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


class Storage:
    """Claims, volumes and classes of a world."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker

    def fill(self, world: World) -> None:
        world.classes = [
            {"metadata": {"name": "wait"}, "provisioner": DRIVER, "volumeBindingMode": "WaitForFirstConsumer"},
            {
                "metadata": {"name": "static"},
                "provisioner": "kubernetes.io/no-provisioner",
                "volumeBindingMode": "WaitForFirstConsumer",
            },
            {"metadata": {"name": "now"}, "provisioner": DRIVER, "volumeBindingMode": "Immediate"},
        ]
        if self._maker.chance(0.4):
            expressions = [{"key": ZONE, "values": ["a", "b"]}]
            world.classes[0]["allowedTopologies"] = [{"matchLabelExpressions": expressions}]
        world.volumes = [self.volume(index) for index in range(self._maker.random.randint(0, 5))]
        for namespace in NAMESPACES:
            for name in CLAIMS:
                if self._maker.chance(0.98):
                    world.claims.append(self.claim(world, namespace, name))
        for node in world.nodes:
            if self._maker.chance(0.3):
                world.limits[node["metadata"]["name"]] = {DRIVER: self._maker.random.choice([1, 2])}

    def volume(self, index: int) -> Object:
        pick, chance = self._maker.random, self._maker.chance
        spec: Object = {
            "accessModes": ["ReadWriteOnce", *pick.choice([[], ["ReadWriteOncePod"]])],
            "capacity": {"storage": pick.choice(["1Gi", "5Gi"])},
            "storageClassName": pick.choice(["wait", "static", "static"]),
        }
        if chance(0.5):
            spec["csi"] = {"driver": DRIVER, "volumeHandle": f"h{index}"}
        if chance(0.5):
            spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [self._maker.node_term()]}}
        labels = {"tier": "fast"} if chance(0.5) else {}
        if chance(0.3):
            key = pick.choice([ZONE, "failure-domain.beta.kubernetes.io/zone"])
            labels[key] = pick.choice(["a", "b__c"])
        metadata = {"name": f"pv{index}", "labels": labels}
        return {"metadata": metadata, "spec": spec, "status": {"phase": "Available"}}

    def claim(self, world: World, namespace: str, name: str) -> Object:
        pick, chance = self._maker.random, self._maker.chance
        metadata: Object = {"namespace": namespace, "name": name, "uid": f"{namespace}-{name}", "annotations": {}}
        spec: Object = {
            "accessModes": [pick.choice(["ReadWriteOnce", "ReadWriteOnce", "ReadWriteOncePod"])],
            "resources": {"requests": {"storage": pick.choice(["1Gi", "2Gi"])}},
            "storageClassName": pick.choice(["wait"] * 8 + ["static"] * 6 + ["now", "none"]),
        }
        if chance(0.15):
            spec["selector"] = {"matchLabels": {"tier": "fast"}}
        if chance(0.05):
            metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        free = [volume for volume in world.volumes if "claimRef" not in volume["spec"]]
        if free and chance(0.5):
            volume = pick.choice(free)
            volume["spec"]["claimRef"] = {"namespace": namespace, "name": name, "uid": metadata["uid"]}
            volume["status"]["phase"] = "Bound"
            spec["volumeName"] = volume["metadata"]["name"]
            if chance(0.9):
                metadata["annotations"]["pv.kubernetes.io/bind-completed"] = "yes"
            if chance(0.1):
                world.volumes.remove(volume)
        elif chance(0.15):
            metadata["annotations"]["volume.kubernetes.io/selected-node"] = pick.choice(["n0", "n1"])
        return {"metadata": metadata, "spec": spec}
