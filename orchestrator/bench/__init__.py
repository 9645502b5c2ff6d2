"""The benchmark of reconciliation: a cluster in this process, everybody who uses it in another.

``podium bench reconcile`` calls ``measure``. It may import everything; nothing else imports it. In reading order:
``cell`` (what is measured), ``measure`` (the cluster and what it costs), ``outside`` (the client's process: it speaks
HTTPS like anybody and drives), ``scenarios`` (what it does), ``witness`` (what a watcher saw of each pod), ``recount``
(whether the state is right, told by an independent reader), ``objects`` (what is applied).
"""
