"""Which pods belong together when nobody says so: those that a Service or their workload selects (KEP-1258)."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import Owner
from orchestrator.scheduler.terms import Labels

OwnerSelector = Callable[[str, Owner], Object | None]
"""(namespace, owner) -> the workload's label selector, None when there is no such workload."""

Pair = tuple[str, str]


class Siblings:
    """The selectors of Services, found by one of their pairs: a pod is compared with few of them."""

    def __init__(self, owner_selector: OwnerSelector) -> None:
        self._owner_selector = owner_selector
        self._services: dict[str, dict[str, str]] = {}
        self._by_pair: dict[tuple[str, Pair], dict[str, None]] = {}

    def set_service(self, key: str, selector: dict[str, str] | None) -> None:
        """``key`` is namespace/name; None or empty: no such Service, or one that selects nothing."""
        before = self._services.pop(key, None)
        if before:
            self._by_pair[self._place(key, before)].pop(key, None)
        if selector:
            self._services[key] = selector
            self._by_pair.setdefault(self._place(key, selector), {})[key] = None

    def _place(self, key: str, selector: dict[str, str]) -> tuple[str, Pair]:
        return key.partition("/")[0], min(selector.items())

    def selector(self, namespace: str, labels: Labels, owner: Owner | None) -> Object | None:
        """What selects the pod and its kind; None when nothing does."""
        pairs: dict[str, str] = {}
        for pair in labels.items():
            for key in self._by_pair.get((namespace, pair), ()):
                service = self._services[key]
                if all(labels.get(name) == value for name, value in service.items()):
                    pairs.update(service)
        of_owner = self._owner_selector(namespace, owner) if owner is not None else None
        if of_owner is not None:
            pairs.update(of_owner.get("matchLabels") or {})
        expressions = (of_owner or {}).get("matchExpressions") or []
        if not pairs and not expressions:
            return None
        return {"matchLabels": pairs, **({"matchExpressions": expressions} if expressions else {})}
