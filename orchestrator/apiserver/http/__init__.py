"""The HTTPS front: bytes to requests, answers to bytes. It knows no kinds and decides nothing.

Its actor ``HttpDoor`` is started by the composition root beside the ``ApiServer``, in its process or in another, and
speaks to it by mailbox only. In the order of a request: ``door``, ``paths``, ``query``, ``bodies``, ``negotiation``,
``answers``, ``watching``; paths that are no resources are in ``plain``.
"""
