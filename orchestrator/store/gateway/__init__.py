"""etcd's v3 JSON gateway over the store: who speaks to etcd by HTTP speaks to this.

Owns the HTTP door and the translation between etcd's messages and the store's; asks the store's actor and nothing else.
Read ``door`` (the actor, its routes), ``http`` (bytes to requests), ``messages`` (etcd's requests), ``answers`` (its
JSON), then ``kv``, ``txn``, ``leases``, ``watching``, ``maintenance``.
"""
