"""What a worker process of a cluster is set up with: a cast whose API server is in the daemon's process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors import Actor, Ref, Supervisor, System, one_for_one
from orchestrator.cast import Cast
from orchestrator.client.client import Client
from orchestrator.client.informer import Informer
from orchestrator.client.protocol import Identity
from orchestrator.config import ClusterConfig, settings
from orchestrator.daemon import plain_logs, tune
from orchestrator.housekeeping import Housekeeper
from orchestrator.mailboxes import Mailboxes
from orchestrator.specs import RESTARTS, member_spec


async def set_up(system: System, home: str, document: dict[str, Any], facts: dict[str, Any]) -> Cast:
    """The cast of this process. ``document`` is the cluster's settings, ``facts`` what the daemon's process found."""
    plain_logs()
    tune()
    config = ClusterConfig(**{**settings(document), "kernel": facts["kernel"]})
    tls = None
    if facts["url"] and facts["door"]:
        from orchestrator.pki import prepare

        tls = prepare(config, facts["url"], system.clock.time()).tls
    informers = await system.spawn(Supervisor(one_for_one, RESTARTS), name="informers")

    async def spawn_informer(make: Callable[[], Informer], name: str) -> Ref[Any]:
        return await system.spawn(member_spec(make, name), parent=informers)

    mailboxes = Mailboxes(system.ref("server/apiserver", home))

    def client_for(identity: Identity) -> Client:
        return Client(mailboxes.transport(identity))

    cast = Cast(
        system,
        config,
        home=home,
        client_for=client_for,
        spawn_informer=spawn_informer,
        certificate=facts["certificate"],
        tls=tls,
    )
    await system.spawn(member_spec(Housekeeper, "housekeeper"))
    cast.network.assume(facts["reachable"])
    if facts["kubelets"]:
        await cast.nodes.prepare()
    return cast


def member(cast: Cast, part: str) -> Actor:
    """A component, for its stand-in in the daemon's process."""
    make = cast.maker(part)
    assert make is not None, "only what the cluster has is placed"
    return make()
