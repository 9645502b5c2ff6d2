"""The annotations by which scheduler, binder and provisioner of volumes speak to each other."""

from __future__ import annotations

from typing import Final

BETA_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
"""The node that a provisioner shall make the claim's volume for."""
PROVISIONER: Final = "volume.kubernetes.io/storage-provisioner"
BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
WAIT: Final = "WaitForFirstConsumer"
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"
