"""Custom resources: what a CustomResourceDefinition says, made into what the server needs of any kind. Pure.

Called by ``apiserver``. Reading order: ``catalog`` (which kinds there are, built in and custom), ``definition`` (a
definition's versions as resources), ``structural`` (validation by the schema), ``defaults``, ``cel``, ``times`` and
``expressions`` (rules in CEL), ``printing`` (columns), ``vetting`` (what a definition itself must be). Types for
pruning and merging are made by ``api.openapi_types``.
"""
