"""What goes wrong between a client and the API server, beside the ``StatusError`` that the server itself answers."""

from __future__ import annotations


class TransportError(Exception):
    """No answer came: the server is down, restarting or out of reach. Whether a write was done is not known."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: expected an answer of the API server, found {reason}")
        self.what = what
        self.reason = reason


class KubeconfigError(Exception):
    """A kubeconfig that cannot be used."""

    def __init__(self, path: str, expected: str, found: str) -> None:
        super().__init__(f"kubeconfig {path}: expected {expected}, found {found}")
        self.path = path
