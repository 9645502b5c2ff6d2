"""What drives the world to what objects say: after ``client`` on the path, before ``scheduler`` and ``kubelet``.

Each controller is an actor in a file of its own, whose docstring states the invariant. The composition root spawns all
of ``registry.CONTROLLERS``. May import ``actors``, ``apimachinery`` and ``client``; never the API server, the store or
another component. Next on the path: ``scheduler``.

In reading order: ``controller`` (the actor under all of them), ``outcome``, ``actions`` (what a user's ``plan``
answers); ``pods``, ``claim``, ``victims``, ``template``, ``conditions``, ``taints`` (pure, shared by several).

| controllers | files |
|---|---|
| replicas | ``replicaset``, ``replicationcontroller`` |
| rollouts | ``deployment``, ``deployment_plan``, ``rollout``, ``revisions``, ``deployment_status`` |
| Services | ``endpointslice``, ``endpoints``, ``membership`` |
| namespaces | ``namespace``, ``serviceaccount``, ``root_ca``, ``resource_quota`` with ``quota_usage`` |
| deletion | ``garbage``, ``podgc``, ``ttl_after_finished`` |
| nodes | ``node_lifecycle`` with ``node_health``, ``taint_eviction`` with ``disruption_target``, ``disruption`` |
"""

from orchestrator.controllers.actions import Apply, Delete, Emit, RequeueAfter, RequeueAt, SetStatus
from orchestrator.controllers.controller import Controller

__all__ = ["Apply", "Controller", "Delete", "Emit", "RequeueAfter", "RequeueAt", "SetStatus"]
