"""The ``podium`` command: it runs a cluster (up, down, status ...) and speaks to any cluster (get, apply, logs ...).

Called by people and scripts; may import everything. Nothing here imports a heavy module at the top: ``main`` loads
the one command that was asked for. Reading order: ``main`` (the table of commands), ``terminal`` (words and colours),
``datadir`` (where a cluster lives), ``up``, ``down``, ``status``, then the verbs. Next: ``orchestrator.daemon``.
"""
