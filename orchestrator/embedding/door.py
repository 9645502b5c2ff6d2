"""The HTTPS side of an embedded cluster: keys made for it alone, and the kubeconfig that leads to it."""

from __future__ import annotations

import socket
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from orchestrator.config import ClusterConfig
from orchestrator.pki import Pki, prepare

HOST = "127.0.0.1"


def free_port() -> int:
    """A port on the loopback that nobody listens on now."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def keys(config: ClusterConfig) -> Pki:
    """The keys of a cluster that listens. They are kept with its state; in memory they are lost with it."""
    assert config.listen is not None, "only a cluster that listens needs keys"
    url = f"https://{HOST}:{config.listen[1]}"
    if config.data_dir is not None:
        return prepare(config, url, time.time())
    with tempfile.TemporaryDirectory(prefix="podium-") as folder:
        return prepare(replace(config, data_dir=Path(folder)), url, time.time())
