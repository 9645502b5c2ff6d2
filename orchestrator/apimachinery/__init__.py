"""What all Kubernetes objects share, whatever their kind: pure functions over the JSON shape.

Called by ``orchestrator.api`` (the kinds' rules), ``apiserver``, ``client`` and every component. Imports nothing of
ours; time and randomness are arguments.

Reading order: ``encoded`` (the three MessagePack parts), ``copying`` (copy-on-write), ``quoting``, ``errors`` (Status),
``field`` (paths and field errors), ``names`` and ``meta`` (object metadata), ``timestamps``, ``quantity``,
``selectors``, ``field_selectors``, ``shapes`` (what the patches need to know of a type), ``json_patch``,
``merge_patch``, ``strategic_patch``, ``field_sets``, ``layouts`` (types compiled for comparing and merging, of
``leaf``, ``deduced`` and ``interleaving``) and ``apply`` (server-side apply), ``tables``.
"""
