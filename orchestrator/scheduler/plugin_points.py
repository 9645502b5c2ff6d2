"""Which plugins a profile asks at which extension point: Kubernetes' rules for ``plugins`` of a profile.

A plugin is one class here: what upstream does in PreFilter, Reserve and PreBind is part of its filter, PreScore of its
score. Those points may be named in a configuration; the names are checked and the filter and score points decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from orchestrator.scheduler.errors import ConfigurationError

FILTER, SCORE, POST_FILTER = "filter", "score", "postFilter"
PRE_ENQUEUE, QUEUE_SORT, BIND = "preEnqueue", "queueSort", "bind"
EVERY = "*"

DEFAULT: tuple[tuple[str, int, frozenset[str]], ...] = (
    ("SchedulingGates", 0, frozenset({PRE_ENQUEUE})),
    ("PrioritySort", 0, frozenset({QUEUE_SORT})),
    ("NodeName", 0, frozenset({FILTER})),
    ("NodeUnschedulable", 0, frozenset({FILTER})),
    ("TaintToleration", 3, frozenset({FILTER, SCORE})),
    ("NodeAffinity", 2, frozenset({FILTER, SCORE})),
    ("NodePorts", 0, frozenset({FILTER})),
    ("NodeResourcesFit", 1, frozenset({FILTER, SCORE})),
    ("VolumeRestrictions", 0, frozenset({FILTER})),
    ("NodeVolumeLimits", 0, frozenset({FILTER})),
    ("VolumeBinding", 0, frozenset({FILTER})),
    ("VolumeZone", 0, frozenset({FILTER})),
    ("PodTopologySpread", 2, frozenset({FILTER, SCORE})),
    ("InterPodAffinity", 2, frozenset({FILTER, SCORE})),
    ("DefaultPreemption", 0, frozenset({POST_FILTER})),
    ("NodeResourcesBalancedAllocation", 1, frozenset({SCORE})),
    ("ImageLocality", 1, frozenset({SCORE})),
    ("DefaultBinder", 0, frozenset({BIND})),
)
"""The default profile of 1.37 in its order: name, weight of the score, extension points."""
KNOWN = {name: points for name, _, points in DEFAULT}
NEEDED = {QUEUE_SORT: "PrioritySort", BIND: "DefaultBinder"}
"""There is one way to sort and to bind; a profile cannot be without it."""
NOT_HERE = ("DynamicResources", "GangScheduling", "NodeDeclaredFeatures")


class Plugin(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    name: str
    weight: int = 0


class PluginSet(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    enabled: tuple[Plugin, ...] = ()
    disabled: tuple[Plugin, ...] = ()


class Plugins(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """``profiles[].plugins``."""

    multi_point: PluginSet = PluginSet()
    pre_enqueue: PluginSet = PluginSet()
    queue_sort: PluginSet = PluginSet()
    pre_filter: PluginSet = PluginSet()
    filter: PluginSet = PluginSet()
    post_filter: PluginSet = PluginSet()
    pre_score: PluginSet = PluginSet()
    score: PluginSet = PluginSet()
    reserve: PluginSet = PluginSet()
    permit: PluginSet = PluginSet()
    pre_bind: PluginSet = PluginSet()
    bind: PluginSet = PluginSet()
    post_bind: PluginSet = PluginSet()

    def at(self, point: str) -> PluginSet:
        return dict(self._sets())[point]

    def check(self, path: str, offers: frozenset[str]) -> None:
        """Every name is a plugin of ours or an installed one, and has what its point asks for."""
        known = {*KNOWN, *offers}
        for point, plugin_set in self._sets():
            for side, plugins in (("enabled", plugin_set.enabled), ("disabled", plugin_set.disabled)):
                for index, plugin in enumerate(plugins):
                    _check_plugin(f"{path}.{point}.{side}[{index}].name", point, side, plugin.name, known)
        for point, needed in NEEDED.items():
            if needed not in choose(self, {name: frozenset() for name in offers}).names(point):
                raise ConfigurationError(f"{path}.{point}", f"expected {needed}, which no other plugin replaces")

    def _sets(self) -> Iterator[tuple[str, PluginSet]]:
        for field in msgspec.structs.fields(self):
            yield field.encode_name, getattr(self, field.name)


def _check_plugin(path: str, point: str, side: str, name: str, known: set[str]) -> None:
    if name == EVERY and side == "disabled":
        return
    if name in NOT_HERE and side == "disabled":
        return
    if name not in known:
        raise ConfigurationError(path, f"expected one of {', '.join(sorted(known))}, found {name!r}")
    has = KNOWN.get(name)
    if has is not None and side == "enabled" and point in (FILTER, SCORE, POST_FILTER, *NEEDED) and point not in has:
        raise ConfigurationError(path, f"expected a plugin with {point}; {name} has {', '.join(sorted(has))}")


class Chosen(msgspec.Struct, frozen=True):
    """The plugins of a profile by point, in the order they are asked, with the weights of scores."""

    points: Mapping[str, tuple[tuple[str, int], ...]]

    def names(self, point: str) -> tuple[str, ...]:
        return tuple(name for name, _ in self.points[point])


def choose(plugins: Plugins, offers: Mapping[str, frozenset[str]]) -> Chosen:
    """Defaults, then installed plugins, changed by ``multiPoint``, overridden by the point itself."""
    implements = {**KNOWN, **offers}
    everywhere = _merged([Plugin(name, weight) for name, weight, _ in DEFAULT], offers, plugins.multi_point)
    points: dict[str, tuple[tuple[str, int], ...]] = {}
    for point in (FILTER, SCORE, POST_FILTER, PRE_ENQUEUE, QUEUE_SORT, BIND):
        own = plugins.at(point)
        off = {plugin.name for plugin in own.disabled}
        general = [p for p in everywhere if point in implements.get(p.name, ()) and not off & {EVERY, p.name}]
        points[point] = tuple(_ordered(own.enabled, general))
    return Chosen(points)


def _merged(default: Sequence[Plugin], offers: Mapping[str, frozenset[str]], change: PluginSet) -> list[Plugin]:
    off = {plugin.name for plugin in change.disabled}
    mine = {plugin.name: plugin for plugin in change.enabled}
    base = [*default, *(Plugin(name) for name in offers)]
    kept = [] if EVERY in off else [mine.pop(p.name, p) for p in base if p.name not in off]
    return [*kept, *mine.values()]


def _ordered(own: Sequence[Plugin], general: Sequence[Plugin]) -> Iterator[tuple[str, int]]:
    """Overridden ones as the point lists them, then the general ones, then what only the point lists."""
    names = {plugin.name for plugin in general}
    overriding = {plugin.name for plugin in own} & names
    first = [plugin for plugin in own if plugin.name in overriding]
    last = [plugin for plugin in own if plugin.name not in overriding]
    for plugin in (*first, *(p for p in general if p.name not in overriding), *last):
        yield plugin.name, plugin.weight
