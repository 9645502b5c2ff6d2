"""Nodes: systems that reach each other's actors. ``System.listen`` and ``System.connect`` are the way in.

Owns the wire protocol and the connections; imports the rest of the library, which knows of it only in ``system``. What
it promises is chapter 15 of ``docs/SEMANTICS.md``. Pure, without socket or clock: ``wire`` (frames), ``handshake``,
``session`` (the protocol of one side), with ``security`` (proofs) and ``limits`` (all bounds). Shell: ``network``
(sockets), ``connection`` (bytes in and out), ``peer`` and ``watches`` (what an open connection carries), ``outbox``
(mail that waits for credit), ``chase`` (circles of asks), ``dialer`` (connects again), ``remoting`` (all of a
system's), ``ref`` (what people hold).
"""
