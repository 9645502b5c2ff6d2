"""The handlers, one file for each verb. They know no kinds: what is special about one is in ``api`` rules or a subresource's file.

Called by ``dispatch``. ``get``, ``list`` and ``watch`` read; ``create``, ``update``, ``patch`` and ``delete`` prepare a
``Write`` for the writer; ``collection`` deletes what a list finds.
"""
