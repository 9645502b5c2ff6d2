"""Containers as supervised processes of this machine, where no container engine answers.

Reading order: ``images`` (names to programs), ``runtime`` (the interface), ``link`` (a pod's connection to its shim),
``shim`` (the script that is the parent of a pod's processes), ``session`` (exec and attach), ``logs``, ``figures``.
"""
