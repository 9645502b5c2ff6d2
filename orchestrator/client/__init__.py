"""What every component and embedder speaks to the API server with; the second folder on the path from the outside in.

Called by controllers, scheduler, kubelet, proxy, dns, the command and whoever embeds a cluster. Imports ``actors``,
``apimachinery``, the facts of ``api`` and the store's event frames; never the API server or the components.

In reading order: ``protocol`` (the frames), ``kinds``, ``requests`` and ``splice`` (saying a verb), ``transport`` with
its doors ``mailbox`` and ``https`` (``kubeconfig``), ``client`` (typed verbs); ``view``, ``cache``, ``subscription``,
``informer``, ``informers`` (one cache of each kind for each process); ``workqueue`` (which keys want work),
``recorder`` (Events), ``election`` (one of many leads), ``fake`` (an API server for tests).

Next on the path: ``controllers``.
"""
