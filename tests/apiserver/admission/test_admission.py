from __future__ import annotations

from orchestrator.client.protocol import Verb
from tests.apiserver.desk import body_of, desk, pod, request


async def test_a_pod_runs_as_its_account_and_finds_a_token() -> None:
    async with desk() as api:
        spec = body_of(await api.create("pods", pod("p")))["spec"]
        assert spec["serviceAccountName"] == "default"
        assert spec["containers"][0]["volumeMounts"][0]["name"] == spec["volumes"][0]["name"]


async def test_a_pod_may_do_without_a_token() -> None:
    async with desk() as api:
        spec = body_of(await api.create("pods", pod("p", automountServiceAccountToken=False)))["spec"]
        assert "volumes" not in spec


async def test_an_account_that_is_missing_is_named() -> None:
    async with desk() as api:
        answer = body_of(await api.create("pods", pod("p", serviceAccountName="none")))
        assert answer["code"] == 403
        assert 'serviceaccount "none" not found' in answer["message"]


async def test_a_priority_class_becomes_its_number() -> None:
    async with desk() as api:
        await api.create("priorityclasses", {"metadata": {"name": "high"}, "value": 7})
        spec = body_of(await api.create("pods", pod("p", priorityClassName="high")))["spec"]
        assert spec["priority"] == 7


async def test_a_pod_tolerates_a_lost_node_for_five_minutes() -> None:
    async with desk() as api:
        tolerations = body_of(await api.create("pods", pod("p")))["spec"]["tolerations"]
        assert [one["tolerationSeconds"] for one in tolerations] == [300, 300]


async def test_a_limit_range_bounds_containers() -> None:
    async with desk() as api:
        limits = {"type": "Container", "max": {"cpu": "1"}}
        await api.create("limitranges", {"metadata": {"name": "l"}, "spec": {"limits": [limits]}})
        containers = [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "2"}}}]
        answer = body_of(await api.create("pods", pod("p", containers=containers)))
        assert answer["message"] == 'pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2'


async def test_a_quota_counts_a_whole_batch() -> None:
    async with desk() as api:
        await api.create("resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}})
        answers = await api.batch(*(request(Verb.CREATE, "pods", body=pod()) for _ in range(3)))
        assert [answer.code for answer in answers] == [201, 201, 403]
        quota = await api.get("resourcequotas", "q")
        assert quota["status"]["used"] == {"pods": "2"}


async def test_the_first_namespaces_may_not_be_deleted() -> None:
    async with desk() as api:
        answer = body_of(await api.delete("namespaces", "kube-system"))
        assert answer["message"] == 'namespaces "kube-system" is forbidden: this namespace may not be deleted'


async def test_nobody_grants_more_than_they_have() -> None:
    async with desk() as api:
        rules = [{"verbs": ["create", "get"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"]}]
        await api.create("roles", {"metadata": {"name": "maker"}, "rules": rules})
        subjects = [{"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}]
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "maker"}
        await api.create("rolebindings", {"metadata": {"name": "b"}, "roleRef": reference, "subjects": subjects})
        wanted = [{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}]
        answer = body_of(await api.as_("jane").create("roles", {"metadata": {"name": "x"}, "rules": wanted}))
        assert answer["code"] == 403
        assert "is attempting to grant RBAC permissions not currently held" in answer["message"]
