"""An operator with kopf: every Site has a Deployment, a Service and its pages, and says how it is.

It has one of each that operators are made of: handlers of creation, change and deletion (a finalizer), of one field,
sub-handlers, an index, a daemon, a timer, errors that are tried again and errors that are not. Outside of tests:
``kopf run --all-namespaces examples/operators/sites.py``.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import kopf
from lightkube import ApiError, AsyncClient
from lightkube.codecs import from_dict
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap
from lightkube.types import PatchType

SITES = "sites.example.com"
REGISTER = "hosts"
"""The ConfigMap of each namespace that says which Site has which host."""
LOOK_SECONDS = 0.02
"""Between two looks of a daemon at its pods."""
EXPIRY_SECONDS = 0.05
"""Between two looks of the timer at a Site's end."""
RETRY_SECONDS = 0.05

Site = create_namespaced_resource("example.com", "v1", "Site", "sites")

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: sites.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: sites, singular: site, kind: Site, shortNames: [st]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.ready}
    additionalPrinterColumns:
    - {name: Host, type: string, jsonPath: .spec.host}
    - {name: Ready, type: integer, jsonPath: .status.ready}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [host]
            x-kubernetes-validations:
            - {rule: "self.replicas <= 5", message: at most five replicas}
            properties:
              host: {type: string, minLength: 1}
              image: {type: string, default: "nginx:1"}
              replicas: {type: integer, minimum: 0, default: 1}
              expires: {type: string, format: date-time}
              pages: {type: object, additionalProperties: {type: string}}
          status:
            type: object
            x-kubernetes-preserve-unknown-fields: true
            properties:
              ready: {type: integer}
"""


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    settings.persistence.finalizer = "example.com/site"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix="sites.example.com")
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix="sites.example.com")
    settings.background.instant_exit_timeout = 0.5  # the daemon looks every LOOK_SECONDS whether it should end
    settings.background.cancellation_polling = 0.1
    memo.client = AsyncClient(field_manager="sites")


@kopf.on.cleanup()
async def close(memo: kopf.Memo, **_: Any) -> None:
    await memo.client.close()


@kopf.on.login()
def login(settings: kopf.OperatorSettings, **_: Any) -> Any:
    return kopf.login_with_kubeconfig(settings=settings)


@kopf.on.create(SITES)
@kopf.on.resume(SITES)
async def deploy(
    spec: kopf.Spec, name: str, namespace: str, body: kopf.Body, memo: kopf.Memo, patch: kopf.Patch, **_: Any
) -> None:
    """The host is this Site's alone; then there is what serves it."""
    if "/" in spec["host"]:
        patch.status["phase"] = "Refused"
        kopf.warn(body, reason="BadHost", message=f"expected a host name, found {spec['host']!r}")
        raise kopf.PermanentError(f"expected a host name, found {spec['host']!r}")
    await claim(memo.client, namespace, spec["host"], name)
    for child in children(name, spec):
        kopf.adopt(child, owner=body)
        await memo.client.apply(from_dict(child), namespace=namespace, force=True)
    patch.status["phase"] = "Deployed"


@kopf.on.create(SITES, when=lambda spec, **_: bool(spec.get("pages")))
@kopf.on.update(SITES, field="spec.pages")
async def publish(spec: kopf.Spec, name: str, namespace: str, body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
    """A sub-handler a page: one that fails is tried again alone."""
    for page, text in spec.get("pages", {}).items():

        async def write(page: str = page, text: str = text, **_: Any) -> int:
            made = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"{name}-{page}", "labels": {"site": name}},
                "data": {"text": text},
            }
            kopf.adopt(made, owner=body)
            await memo.client.apply(from_dict(made), namespace=namespace, force=True)
            return len(text)

        kopf.subhandler(id=page)(write)


@kopf.on.field(SITES, field="spec.replicas")
async def scale(old: int | None, new: int, name: str, namespace: str, memo: kopf.Memo, **_: Any) -> None:
    if old is not None:
        await memo.client.patch(Deployment.Scale, name, {"spec": {"replicas": new}}, namespace=namespace)


@kopf.on.update(SITES, field="spec.image")
async def release(new: str, name: str, namespace: str, memo: kopf.Memo, **_: Any) -> None:
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": new}]}}}}
    await memo.client.patch(Deployment, name, change, namespace=namespace)


@kopf.on.delete(SITES)
async def withdraw(spec: kopf.Spec, namespace: str, memo: kopf.Memo, **_: Any) -> None:
    """What the garbage collector does not know of: the host is free again."""
    gone = {"data": {spec["host"]: None}}
    try:
        await memo.client.patch(ConfigMap, REGISTER, gone, namespace=namespace)
    except ApiError as refusal:
        if refusal.status.code != 404:
            raise


@kopf.index("pods", labels={"site": kopf.PRESENT})
def pods(labels: kopf.Labels, name: str, namespace: str, status: kopf.Status, **_: Any) -> Any:
    """Site -> the names of its pods that are ready."""
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", []))
    return {(namespace, labels["site"]): name} if ready else None


@kopf.daemon(SITES)
async def count(
    stopped: kopf.DaemonStopped, pods: kopf.Index[Any, Any], name: str, namespace: str, memo: kopf.Memo, **_: Any
) -> None:
    """``status.ready`` follows the pods."""
    said = None
    while not stopped:
        ready = len(pods.get((namespace, name), []))
        if ready != said:
            await memo.client.patch(
                Site.Status, name, {"status": {"ready": ready}}, namespace=namespace, patch_type=PatchType.MERGE
            )
            said = ready
        await asyncio.sleep(LOOK_SECONDS)


@kopf.timer(SITES, interval=EXPIRY_SECONDS, when=lambda spec, **_: "expires" in spec)
async def expire(spec: kopf.Spec, name: str, namespace: str, memo: kopf.Memo, **_: Any) -> None:
    if datetime.fromisoformat(spec["expires"]) <= datetime.now(UTC):
        await memo.client.delete(Site, name, namespace=namespace)


async def claim(client: AsyncClient, namespace: str, host: str, name: str) -> None:
    """Raises ``TemporaryError`` while another Site has the host."""
    register = ConfigMap(metadata=ObjectMeta(name=REGISTER))
    try:
        register = await client.get(ConfigMap, REGISTER, namespace=namespace)
    except ApiError as refusal:
        if refusal.status.code != 404:
            raise
        await client.create(register, namespace=namespace)
    holder = (register.data or {}).get(host, name)
    if holder != name:
        raise kopf.TemporaryError(f"{host} belongs to {holder}", delay=RETRY_SECONDS)
    await client.patch(ConfigMap, REGISTER, {"data": {host: name}}, namespace=namespace)


def children(name: str, spec: kopf.Spec) -> list[dict[str, Any]]:
    """What serves a Site. Pure."""
    labels = {"site": name}
    pod = {"containers": [{"name": "web", "image": spec["image"], "ports": [{"containerPort": 80}]}]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": spec["replicas"],
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels},
        "spec": {"selector": labels, "ports": [{"port": 80}]},
    }
    return [deployment, service]
