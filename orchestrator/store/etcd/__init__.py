"""The store's protocol over an etcd that somebody runs: for who has one already, or outgrows this one.

The actor keeps a mirror: it watches the whole etcd and applies every change to a state machine like the store's own, so
that ranges by field, old revisions and watches cost etcd nothing. A read first asks etcd how far it is and waits until
the mirror is there, which keeps it linearizable. Writes are etcd transactions. Read ``store`` (the actor), ``mirror``,
``writing`` (from changes to transactions), ``stored`` (keys and values in etcd), ``client`` (its JSON gateway).
"""
