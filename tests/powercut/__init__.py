"""Power cuts under the real log: SQLite's writes are recorded below it, lost at a random moment, and the log reopened.

``disk`` is what a disk may still hold after a cut, ``vfs`` puts it under SQLite (apsw), ``workload`` is what is done to
a log and what it must hold afterwards, ``explore`` runs seeds.
"""
