"""The HTTPS side of an embedded cluster: keys made for it alone, and the kubeconfig that leads to it."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from orchestrator.config import ClusterConfig
from orchestrator.pki import Pki, prepare

HOST = "127.0.0.1"
IN_MEMORY = (Path("/dev/shm"),)
"""Where a file is never on a disk: ``ssl`` reads its keys from files only, and a disk may take longer to
remove them than it takes to make them."""


def free_port() -> int:
    """A port on the loopback that nobody listens on now."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def first_writable(folders: Iterable[Path]) -> Path | None:
    return next((folder for folder in folders if os.access(folder, os.W_OK | os.X_OK)), None)


def keys(config: ClusterConfig) -> Pki:
    """The keys of a cluster that listens. They are kept with its state; in memory they are lost with it."""
    assert config.listen is not None, "only a cluster that listens needs keys"
    url = f"https://{HOST}:{config.listen[1]}"
    if config.data_dir is not None:
        return prepare(config, url, time.time())
    with tempfile.TemporaryDirectory(prefix="podium-", dir=first_writable(IN_MEMORY)) as folder:
        return prepare(replace(config, data_dir=Path(folder)), url, time.time())
