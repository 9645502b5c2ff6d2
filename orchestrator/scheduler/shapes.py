"""The shapes of the pods there are: pods that look alike to placement share one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from orchestrator.apimachinery.encoded import Object
from orchestrator.scheduler.framework import Profile
from orchestrator.scheduler.pod_facts import PodFacts
from orchestrator.scheduler.shape import DEFAULT_SCHEDULER, Shape, shape_key, shape_of
from orchestrator.scheduler.siblings import Siblings
from orchestrator.scheduler.terms import SYSTEM_SPREADING

MAX_SHAPES = 4096
"""Parsed shapes kept for reuse (about 3 KB each); the least recently used goes first."""
EPHEMERAL = b"\xa9ephemeral"
"""How the key of an ephemeral volume stands in an encoded spec: such a pod's claims bear its own name."""


class Shapes:
    """Pods with equal bytes, labels and siblings share the parse; pods that only look alike share the shape."""

    def __init__(self, siblings: Siblings, profiles: Mapping[str, Profile]) -> None:
        self._siblings = siblings
        self._profiles = profiles
        self._parsed: OrderedDict[object, Shape] = OrderedDict()
        self._interned: OrderedDict[str, Shape] = OrderedDict()

    def __len__(self) -> int:
        return len(self._parsed)

    def of(self, facts: PodFacts) -> Shape:
        default = self._default_selector(facts)
        rest = facts.rest
        named = facts.name if EPHEMERAL in rest else ""
        alike = (rest, facts.namespace, frozenset(facts.labels.items()), repr(default), named)
        shape = self._parsed.get(alike)
        if shape is not None:
            self._parsed.move_to_end(alike)
            return shape
        shape = self._parsed[alike] = self._intern(facts, default)
        for cache in (self._parsed, self._interned):
            if len(cache) > MAX_SHAPES:
                cache.popitem(last=False)
        return shape

    def _intern(self, facts: PodFacts, default: Object | None) -> Shape:
        spec = facts.spec if not facts.node else {**facts.spec, "nodeName": ""}
        key = shape_key(spec, facts.namespace, facts.labels, default, facts.name)
        shape = self._interned.get(key)
        if shape is None:
            profile = self._profiles.get(facts.scheduler or DEFAULT_SCHEDULER)
            spreading = profile.spreading if profile is not None else SYSTEM_SPREADING
            shape = self._interned[key] = shape_of(
                spec, facts.namespace, facts.labels, default, pod=facts.name, spreading=spreading
            )
        return shape

    def _default_selector(self, facts: PodFacts) -> Object | None:
        profile = self._profiles.get(facts.scheduler or DEFAULT_SCHEDULER)
        if profile is None or not profile.spreading.constraints:
            return None
        return self._siblings.selector(facts.namespace, facts.labels, facts.owner)
