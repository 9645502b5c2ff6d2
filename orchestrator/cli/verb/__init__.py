"""The verbs people use daily, against any kubeconfig: one file for each, ``arguments(parser)`` and ``run(options)``.

Called by ``cli.main`` through the table in ``cli.verbs``. A verb asks through ``cli.remote`` and shows through
``cli.show``; what it decides without asking is in pure functions beside it.
"""
