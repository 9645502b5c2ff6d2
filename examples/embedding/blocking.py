"""For code without a loop: ``python blocking.py`` in this folder."""

from orchestrator import Cluster

with Cluster.start(nodes=3, serve=True) as cluster:  # a thread of its own; each verb blocks
    cluster.apply("web.yaml")
    cluster.wait("deployment/web", "Available")
    print(cluster.kubeconfig())  # for kubectl, helm or any client library
