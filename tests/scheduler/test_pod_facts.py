from __future__ import annotations

import gc

from orchestrator.apimachinery.encoded import encode
from orchestrator.client.view import Parts, View
from orchestrator.scheduler.pod_facts import pod_facts


def test_facts_do_not_hold_the_view_that_holds_them() -> None:
    """A ring of the two would stay until the collector comes: the memory of every revision of every pod."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "uid": "u"}, "spec": {"nodeName": "n"}}
    view = View(encode(pod, 3), Parts())
    facts = view.facts(pod_facts)
    assert (facts.node, facts.spec) == ("n", {"nodeName": "n"})
    assert not any(isinstance(held, View) for held in gc.get_referents(facts))
