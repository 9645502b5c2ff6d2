"""What a person or a script reads: tables, YAML, JSON, JSONPath, and a sign of life while something takes long.

Called by ``cli/verb``. Pure but for ``progress``: objects in, lines out. In reading order: ``table``, ``rows`` (the
server's Table), ``jsonpath``, ``custom_columns``, ``sorting``, ``output`` (``-o``), ``happened`` (events),
``progress``.
"""
