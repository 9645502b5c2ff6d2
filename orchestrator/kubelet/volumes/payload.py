"""The files of configMap, secret, downwardAPI and projected volumes."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.kubelet.downward import Place, field_value, resource_value
from orchestrator.kubelet.environment import data_of
from orchestrator.kubelet.pod import Pod
from orchestrator.kubelet.runtime.errors import RuntimeFailure
from orchestrator.kubelet.volumes.atomic import File, Payload
from orchestrator.kubelet.volumes.sources import Sources

DEFAULT_MODE = 0o644
DEFAULT_TOKEN_SECONDS = 3600


async def volume_payload(pod: Pod, volume: Object, place: Place, sources: Sources) -> Payload:
    """The files of one volume, of any of the four kinds. Raises ``RuntimeFailure``."""
    if "projected" in volume:
        projected = volume["projected"]
        mode = projected.get("defaultMode") or DEFAULT_MODE
        payload: Payload = {}
        for source in projected.get("sources") or ():
            payload |= await _source(pod, source, mode, place, sources)
        return payload
    kind = next(kind for kind in ("configMap", "secret", "downwardAPI") if kind in volume)
    body = volume[kind]
    mode = body.get("defaultMode") or DEFAULT_MODE
    if kind == "secret":
        body = {**body, "name": body.get("secretName")}
    return await _source(pod, {kind: body}, mode, place, sources)


async def _source(pod: Pod, source: Object, mode: int, place: Place, sources: Sources) -> Payload:
    namespace = pod.metadata.namespace
    if "configMap" in source:
        body = source["configMap"]
        return _keys("configmap", body, await sources.config_map(namespace, body["name"]), mode, namespace)
    if "secret" in source:
        body = source["secret"]
        return _keys("secret", body, await sources.secret(namespace, body["name"]), mode, namespace)
    if "downwardAPI" in source:
        return _downward(pod, source["downwardAPI"], mode, place)
    if "serviceAccountToken" in source:
        body = source["serviceAccountToken"]
        seconds = body.get("expirationSeconds") or DEFAULT_TOKEN_SECONDS
        token = await sources.token(pod, audience=body.get("audience") or "", seconds=seconds)
        return {body["path"]: File(token.encode(), mode)}
    raise RuntimeFailure("FailedMount", f"projected source {next(iter(source), '')!r} is not supported")


def _keys(kind: str, body: Object, obj: Object | None, mode: int, namespace: str) -> Payload:
    if obj is None:
        if body.get("optional"):
            return {}
        raise RuntimeFailure("FailedMount", f'{kind} "{body["name"]}" not found')
    data = data_of(kind, obj)
    if not body.get("items"):
        return {key: File(content, mode) for key, content in data.items()}
    payload: Payload = {}
    for item in body["items"]:
        if item["key"] in data:
            payload[item["path"]] = File(data[item["key"]], item.get("mode") or mode)
        elif not body.get("optional"):
            message = (
                f"{kind} references non-existent {'config' if kind == 'configmap' else 'secret'} key: {item['key']}"
            )
            raise RuntimeFailure("FailedMount", message)
    return payload


def _downward(pod: Pod, body: Object, mode: int, place: Place) -> Payload:
    payload: Payload = {}
    for item in body.get("items") or ():
        if "fieldRef" in item:
            text = field_value(pod, item["fieldRef"]["fieldPath"], place)
        else:
            text = resource_value(pod, item["resourceFieldRef"], "", place)
        payload[item["path"]] = File((text or "").encode(), item.get("mode") or mode)
    return payload
