"""The core group, a module for each family of kinds; ``RULES`` is all of them."""

from orchestrator.api.core import config, events, namespaces, nodes, pods, quota, replication, services, volumes

RULES = (
    *pods.RULES,
    *replication.RULES,
    *services.RULES,
    *config.RULES,
    *namespaces.RULES,
    *nodes.RULES,
    *volumes.RULES,
    *quota.RULES,
    *events.RULES,
)
