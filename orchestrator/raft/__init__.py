"""The consensus core: (state, input) -> outputs to persist, send and apply. Pure: no clock, disk, net or randomness.

Read ``entry`` (what is kept on disk), ``config`` (who belongs to the group), ``messages`` (what members say),
``raftlog`` (the log as a member sees it), ``progress``, ``quorum`` and ``leading`` (what a leader knows of the others),
``core`` (the roles and every transition), with ``settings`` and ``ready`` (what goes in and comes out). Called by
``orchestrator.store``, which owns the disk and the wire. Imports nothing of ours.
"""
