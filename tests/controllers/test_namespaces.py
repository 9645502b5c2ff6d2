"""Namespaces: what every one has, and how one ends."""

from __future__ import annotations

import pytest

from orchestrator.client.kinds import CONFIGMAPS, NAMESPACES, PODS, SECRETS, SERVICEACCOUNTS
from orchestrator.controllers.namespace import Namespaces, Remaining, status
from orchestrator.controllers.root_ca import RootCertificates
from orchestrator.controllers.serviceaccount import ServiceAccounts
from tests.controllers.stage import Stage, bare_pod, stage
from tests.controllers.views import view


def namespace(name: str, **metadata: object) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, **metadata},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


async def test_every_namespace_has_a_default_account_and_it_comes_back() -> None:
    async with stage() as s:
        await s.play(ServiceAccounts)
        await s.client.create(NAMESPACES, namespace("team"))
        await s.settle()
        assert [held["metadata"]["name"] for held in await s.objects(SERVICEACCOUNTS, "team")] == ["default"]
        await s.client.delete(SERVICEACCOUNTS, "default", "team")
        await s.settle()
        assert len(await s.objects(SERVICEACCOUNTS, "team")) == 1


async def test_the_root_certificate_is_published_and_put_right() -> None:
    class Published(RootCertificates):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, certificate="PEM", **options)

    async with stage() as s:
        await s.play(Published)
        await s.client.create(NAMESPACES, namespace("team"))
        await s.settle()
        change = {"data": {"ca.crt": "wrong", "more": "x"}}
        await s.client.patch(CONFIGMAPS, "kube-root-ca.crt", "team", change)
        await s.settle()
        assert (await s.client.get(CONFIGMAPS, "kube-root-ca.crt", "team"))["data"] == {"ca.crt": "PEM"}


async def end(s: Stage, name: str) -> None:
    """What the API server does at a delete: the mark, while ``spec.finalizers`` holds the namespace."""
    obj = await s.client.get(NAMESPACES, name)
    obj["metadata"]["finalizers"] = ["kubernetes"]
    await s.client.update(NAMESPACES, obj)
    await s.client.delete(NAMESPACES, name)


@pytest.mark.slow
async def test_a_namespace_loses_its_pods_first_and_then_everything() -> None:
    async with stage() as s:
        await s.play(Namespaces)
        await s.client.create(NAMESPACES, namespace("team"))
        pod = {**bare_pod("held", {}), "metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
        await s.client.create(PODS, pod, "team")
        await s.client.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kept"}}, "team")
        await end(s, "team")
        await s.settle()
        assert len(await s.objects(SECRETS, "team")) == 1
        conditions = (await s.client.get(NAMESPACES, "team"))["status"]["conditions"]
        remaining = next(held for held in conditions if held["type"] == "NamespaceFinalizersRemaining")
        assert remaining["status"] == "True"
        assert "example.com/hold in 1 resource instances" in remaining["message"]
        await s.client.patch(PODS, "held", "team", {"metadata": {"finalizers": None}})
        await s.settle(10.0)
        assert await s.objects(SECRETS, "team") == []
        assert (await s.client.get(NAMESPACES, "team"))["spec"]["finalizers"] == []


def test_the_conditions_say_what_remains() -> None:
    made = status(view(namespace("team")), Remaining({"pods": 2}, {}, []), 0.0)
    by_type = {held["type"]: held for held in made["conditions"]}
    assert by_type["NamespaceContentRemaining"]["reason"] == "SomeResourcesRemain"
    assert "pods. has 2 resource instances" in by_type["NamespaceContentRemaining"]["message"]
    assert by_type["NamespaceDeletionContentFailure"]["status"] == "False"
    assert made["phase"] == "Terminating"
