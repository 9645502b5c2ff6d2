"""A cluster as the verbs see it: where it is, what it serves, and one request at a time over HTTPS.

Called by ``cli/verb``; imports the kubeconfig of ``client`` and ``apimachinery``. The verbs ask one thing and print it,
so they use the standard library's blocking HTTP: aiohttp alone takes longer to import than a whole ``podium get``. Only
``sockets`` (exec, port-forward) imports aiohttp, when it is needed.

In reading order: ``access`` (which kubeconfig), ``connection`` (a request), ``resource`` and ``discovery`` (what is
served), ``session`` (all of it for one run), ``arguments`` (``deploy/web svc``), ``manifests`` (``-f``), ``pods`` (from
a workload to a pod), ``watching``, ``spans``, ``sockets``.
Next on the path: ``orchestrator.apiserver``.
"""
