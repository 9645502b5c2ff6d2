"""Which node runs which pod: the default profile of kube-scheduler 1.37, as arithmetic over arrays.

Owns the decision and the binding of pods that have no node. Called by ``cluster.py`` (the actor); by plugins of users
(``framework``). May import ``actors``, ``orchestrator.apimachinery``, ``orchestrator.api`` and ``orchestrator.client``.

In reading order:

- ``configuration``, ``plugin_points``, ``plugin_args``, ``offers``: KubeSchedulerConfiguration, plugins by name
- ``requests``, ``node_selector``, ``taints``, ``terms``, ``disks``: pieces of pods and nodes, parsed once
- ``shape``, ``shapes``: all that placement asks of a pod; identical pods share one
- ``node_facts``, ``pod_facts``: what of an object the scheduler follows; most updates are no news
- ``snapshot``, ``counters``: nodes and placed pods as arrays, kept up to date change by change
- ``volume_facts``, ``volumes``: claims, volumes and classes, with what was decided and is on its way
- ``framework``, ``plugins/``, ``profiles``: filters and scores, the public plugin interface, profiles made of both
- ``ladder``, ``cycle``: ``schedule(snapshot, shape) -> Decision``, and a run of identical pods at the price of one
- ``decision``, ``preemption``: why a pod does not fit, and who would have to go
- ``queue``, ``hints``: which pod is next, and which event is worth another try
- ``engine``, ``outcome``, ``volume_bindings``: the pure whole: objects in, bindings out
- ``actor``, ``writes``: the shell that watches, binds in one batch and tells why not

numpy is imported with the first pod to schedule (``engine``), not with this package.
The next folder on the path is ``orchestrator/kubelet``.
"""
