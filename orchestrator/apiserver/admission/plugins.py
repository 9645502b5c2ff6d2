"""The ordered list of plugins, and how they are run."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.admission.limit_ranger import apply_limits, check_limits
from orchestrator.apiserver.admission.namespace_lifecycle import check_namespace
from orchestrator.apiserver.admission.node_taints import taint_node
from orchestrator.apiserver.admission.priority import set_priority
from orchestrator.apiserver.admission.protection import protect
from orchestrator.apiserver.admission.service_account import set_account
from orchestrator.apiserver.admission.storage_class import set_storage_class
from orchestrator.apiserver.admission.tolerations import tolerate
from orchestrator.apiserver.call import Call, Environment

Plugin = Callable[[Environment, Call, Object, Object | None], None]
"""Changes ``obj`` in place or raises ``StatusError``; ``old`` is None on create."""

MUTATING: tuple[tuple[str, Plugin], ...] = (
    ("NamespaceLifecycle", check_namespace),
    ("LimitRanger", apply_limits),
    ("ServiceAccount", set_account),
    ("TaintNodesByCondition", taint_node),
    ("Priority", set_priority),
    ("DefaultTolerationSeconds", tolerate),
    ("DefaultStorageClass", set_storage_class),
    ("StorageObjectInUseProtection", protect),
)
OF_ANY_KIND = frozenset(("NamespaceLifecycle",))
"""What custom objects pass: the others know kinds by their names, which a custom kind may bear too."""
VALIDATING: tuple[tuple[str, Plugin], ...] = (("LimitRanger", check_limits),)


def admit(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    """The plugins that change."""
    _run(MUTATING, env, call, obj, old)


def validate_admission(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    """The plugins that look at the finished object."""
    _run(VALIDATING, env, call, obj, old)


def _run(
    plugins: tuple[tuple[str, Plugin], ...], env: Environment, call: Call, obj: Object, old: Object | None
) -> None:
    for name, plugin in plugins:
        if call.resource.custom is not None and name not in OF_ANY_KIND:
            continue
        if name in env.config.admission:
            plugin(env, call, obj, old)
