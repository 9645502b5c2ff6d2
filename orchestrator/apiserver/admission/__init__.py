"""Admission: what changes or refuses an object between its author and the store, in Kubernetes' order.

``plugins`` holds the ordered list; each plugin is a file; ``needs`` says which keys they will want to have read;
``quota`` runs last, over all the writes of a batch at once.
"""
