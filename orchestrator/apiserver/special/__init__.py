"""What is special about single kinds and subresources; the verbs know none of it.

``kinds`` is the table that create and update ask; ``scale``, ``binding``, ``eviction``, ``token``, ``reviews`` and
``pods`` serve subresources; ``allocator`` hands out cluster addresses and node ports, ``ranges`` sees to it that no
other server hands out the same; ``escalation`` guards RBAC.
"""
