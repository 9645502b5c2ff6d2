"""Streams between a user and a pod: logs, exec, attach, port-forward.

The door finds the pod's kubelet through the API server (``locate``), opens a session there by the messages of
``orchestrator.client.node`` and carries bytes: ``sink`` is our end of a session, ``logs``, ``remote`` (exec, attach)
and ``ports`` speak to the user, ``spdy`` is the framing that kubectl's port-forward needs. No byte is buffered beyond
the credit of a session.
"""
