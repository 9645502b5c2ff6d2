"""The core group, a module for each family of kinds; ``RULES`` is all of them."""

from orchestrator.api.core import pods, services

RULES = (*pods.RULES, *services.RULES)
