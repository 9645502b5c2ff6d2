"""The cluster's only truth: a multi-version key-value store behind a replicated log, as one actor.

Owns the keys, their revisions and who watches them; knows no kinds. The API server asks it; it imports ``actors`` and
``orchestrator.raft``. Read ``protocol`` (what one says to it), ``store`` (the actor), ``proposals`` and ``commands``
(from what is asked to what is logged), ``member`` with ``confirming`` (what one member owes to whom), ``replica`` (the
group commit), ``replies`` (what an asker is told), ``wire``, ``notices``, ``shipping``, ``group``, ``membership`` and
``reconfiguring`` (the others), ``log`` with ``sqlite_log`` and ``memory_log``, ``machine`` with ``directory``,
``history``, ``retention``, ``fields`` and ``leases`` (the state), ``reading``, ``snapshot``, and ``watch`` with
``audience`` and ``views``.
"""
