"""The node agent: one actor per node that makes the node's pods what their objects say.

It hears of a binding through the API server alone: it watches the pods with its node's name and writes their status.
Imports ``actors``, ``apimachinery`` and ``client``; never the API server, the store's actor or another component.
Reading order: ``kubelet`` (the actor), ``record`` (a pod as it is held), ``driver`` (plan and execute), ``plan``,
``end``, ``phase``, ``restart``, ``backoff`` (pure: what to do), ``action`` and ``executor``, ``status``,
``container_status``, ``conditions`` (pure: what to say), ``status_writer``, ``probe``, ``probes`` and the probers,
``node`` and ``node_keeper`` (the node's own objects), ``materials``, ``environment`` and ``volumes/`` (what
containers get), ``opening`` and ``sessions`` (logs, exec, attach, port-forward). ``runtime/`` runs the containers.
Next on the road of a request: ``controllers``, where a ready address becomes an endpoint.
"""
