"""ServiceAccount: every namespace that is not being deleted has the account ``default``."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.client.kinds import NAMESPACES, SERVICEACCOUNTS
from orchestrator.client.protocol import Want
from orchestrator.client.requests import create
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, own_keys, refusals
from orchestrator.controllers.outcome import DONE, Outcome, retry

NAME = "default"


class ServiceAccounts(Controller, kind=NAMESPACES):
    """Creates what is missing; never changes what is there."""

    def watches(self) -> list[Watched]:
        return [Watched(NAMESPACES, own_keys), Watched(SERVICEACCOUNTS, self._account_keys)]

    def _account_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        return (old.namespace,) if old is not None and new is None and old.name == NAME else ()

    async def reconcile(self, key: str) -> Outcome:
        namespace = self.cache(NAMESPACES).get_key(key)
        if namespace is None or namespace.deleting or self.cache(SERVICEACCOUNTS).get(key, NAME) is not None:
            return DONE
        made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": key}}
        refused = refusals(await self.write(key, SERVICEACCOUNTS, [create(SERVICEACCOUNTS, made, want=Want.REVISION)]))
        lasting = [message for _, reason, message in refused if reason != "AlreadyExists"]
        return retry(lasting[0]) if lasting else DONE
