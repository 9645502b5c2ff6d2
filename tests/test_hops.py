from __future__ import annotations

from orchestrator.hops import Hops, hop_of

VERB = "orchestrator/apiserver/verbs/status.py:prepare_status"
WRITER = "orchestrator/apiserver/writer.py:_prepare"
WORKER = "actors/worker.py:Workers._work"


def test_a_pure_function_is_charged_to_the_hop_that_called_it() -> None:
    assert hop_of(("orchestrator/apimachinery/layouts.py:Mapped.compare", VERB, WRITER, WORKER)) == "apiserver: status"


def test_what_serves_every_verb_is_charged_to_the_verb_that_called_it() -> None:
    assert hop_of(("orchestrator/apiserver/managed.py:own_by_update", VERB, WRITER)) == "apiserver: status"


def test_what_no_verb_called_stays_with_the_chain() -> None:
    assert hop_of((WRITER, WORKER)) == "apiserver: chain and commit"


def test_each_controller_is_a_hop_of_its_own() -> None:
    assert hop_of(("orchestrator/controllers/replicaset.py:plan", WORKER)) == "controller: replicaset"


def test_frames_of_the_library_alone_are_actors_and_all_else_is_the_loop() -> None:
    assert hop_of((WORKER, "runners.py:Runner.run")) == "actors"
    assert hop_of(("runners.py:Runner.run",)) == "loop"


def test_the_table_shares_the_measured_time_out_by_samples() -> None:
    hops = Hops()
    hops.stacks.update({(VERB,): 3, (WORKER,): 1})
    hops.seconds, hops.collecting = 0.5, 0.1
    rows = dict(line.rsplit(maxsplit=1) for line in hops.table(1000).splitlines())
    assert rows["  apiserver: status"] == "300.0"
    assert rows["  actors"] == "100.0"
    assert rows["  garbage collector"] == "100.0"
