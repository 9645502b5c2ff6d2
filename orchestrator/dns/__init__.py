"""Cluster DNS: names of Services and pods as the Kubernetes DNS specification (1.1.0) says, everything else upstream.

Called by containers on port 53 of the cluster's DNS address; reads Services and EndpointSlices through the informers.
May import actors, apimachinery, api and client. Reading order: ``zone`` (what names there are), ``answer`` (pure:
question to reply), ``upstream`` (names of others), ``server`` (the actor), ``resolv`` (what a container is told).
"""
