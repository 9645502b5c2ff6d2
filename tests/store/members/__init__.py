"""Three real store processes, one real fault a run: ``python -m tests.store.members --runs N [--first K]``.

Each member is a ``podium store serve`` of its own with its log in SQLite; they speak TLS to each other through TCP
proxies, and clients speak to their gateways. ``process`` (a member), ``volume`` (its disk, where that is to be slow or
full), ``link`` (a proxy between two), ``trio`` (the three together), ``door`` (a connection to a gateway), ``clients``
and ``watchers`` (who use it, and what they saw), ``faults`` (what goes wrong), ``truth`` (what the log says in the
end), ``life`` (one run). What must hold is checked by ``tests.store.checks``, as in the simulation.
"""
