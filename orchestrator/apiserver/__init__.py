"""The API server: the only way to the store, for components by mailbox and for users by HTTPS.

Owns the verbs, authentication, authorization, admission and the subresources; keeps no state that it cannot rebuild
from the store. Imports ``api`` (rules and schema), ``apimachinery``, ``client`` (protocol only) and ``store.protocol``;
never a controller, the scheduler, a kubelet or a proxy.

In the order of a request: ``http`` (the door: bytes to requests), ``server`` (the actor), ``chain`` (may they),
``dispatch`` (who handles it), ``verbs`` and ``special`` (the handlers), ``admission``, ``managed`` (who owns which
field), ``templates`` (equal creates once), ``moulds`` and ``renewals`` (equal statuses and heartbeats once),
``writer`` (one read, one proposal), ``storage`` (asks of the store).
Beside it: ``mirror`` and ``rbac`` (what decides about requests, in memory), ``bootstrap`` (the first objects),
``endpoint_reconciler`` (where the API's own Service leads), ``authn``, ``tokens``, ``certs``, ``streaming`` (logs,
exec, port-forward). The next folder on the way is ``store``.
"""
