"""What a real kube-apiserver answers, recorded, and Podium's answers held against it.

``record`` sends every case to a real server and writes the facts of the answers to ``facts/`` (no prose of
descriptions); the tests send the same cases to Podium and compare. Reading order: ``manifests.yaml``, ``cases``,
``facts``, ``record``.
"""
