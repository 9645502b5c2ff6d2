"""The handlers, one file for each verb. They know no kinds.

What is special about a kind is in the rules of ``api`` or in a file of ``special``.

Called by ``dispatch``. ``get``, ``list`` and ``watch`` read; ``create``, ``update``, ``patch`` and ``delete`` prepare a
``Write`` for the writer; ``collection`` deletes what a list finds.
"""
