"""What the Docker engine refuses, in the runtime's words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from orchestrator.kubelet.runtime.errors import RuntimeFailure


@contextlib.contextmanager
def engine(reason: str, *, gone_is_fine: bool = False) -> Iterator[None]:
    """The engine's refusals as ``RuntimeFailure`` with ``reason``."""
    import aiodocker
    import aiohttp

    try:
        yield
    except aiodocker.DockerError as refusal:
        if gone_is_fine and refusal.status in (304, 404, 409):
            return
        raise RuntimeFailure(reason, str(refusal.message)) from refusal
    except (aiohttp.ClientError, OSError) as failure:
        raise RuntimeFailure(reason, f"the Docker engine does not answer: {failure}") from failure
