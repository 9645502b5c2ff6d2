"""How the composition root gives the components of a process their ways to the API server."""

from __future__ import annotations

from typing import Any

from actors import Ref
from orchestrator.client.carrier import Carrier
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Identity
from orchestrator.identities import NODES


class Mailboxes:
    """One per process. Kubelets, who are many and have little to write each, share a carrier."""

    def __init__(self, api: Ref[Any]) -> None:
        self._api = api
        self._carrier = Carrier(api)

    def transport(self, identity: Identity) -> MailboxTransport:
        return MailboxTransport(self._api, identity, self._carrier if identity.groups == NODES else None)
