"""Which kubelet has a pod, and which of its containers is meant."""

from __future__ import annotations

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.call import Environment
from orchestrator.apiserver.chain import allowed, denied
from orchestrator.apiserver.door_messages import Locate, Located
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.rbac import Attributes
from orchestrator.apiserver.storage import encoded_of

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


async def locate(env: Environment, message: Locate) -> Located:
    """Raises Forbidden, NotFound, BadRequest."""
    asked = Attributes(message.verb, "", "v1", "pods", message.subresource, message.namespace, message.name)
    if allowed(env, message.identity, asked) is None:
        raise denied(message.identity, asked)
    value = (await env.storage.get([object_key("", "pods", message.namespace, message.name)])).values[0]
    if value is None:
        raise errors.not_found("", "pods", message.name)
    pod = encoded_of(value).decode()
    container = "" if message.subresource == "portforward" else container_of(pod, message.container)
    node = pod["spec"].get("nodeName")
    if not node:
        raise errors.bad_request(f"pod {message.name} does not have a host assigned")
    if env.nodes is None:
        raise errors.service_unavailable("this server reaches no kubelets")
    return Located(env.nodes(node), pod["metadata"]["uid"], container)


def container_of(pod: Object, wanted: str) -> str:
    """The container asked for, the annotated default, or the only one."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    kinds = ("initContainers", "containers", "ephemeralContainers")
    names = [one["name"] for kind in kinds for one in spec.get(kind) or ()]
    if wanted:
        if wanted not in names:
            raise errors.bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    annotated = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER)
    if annotated in names:
        return str(annotated)
    plain = [one["name"] for one in spec["containers"]]
    if len(plain) == 1:
        return str(plain[0])
    choices = " ".join(plain)
    raise errors.bad_request(f"a container name must be specified for pod {name}, choose one of: [{choices}]")
