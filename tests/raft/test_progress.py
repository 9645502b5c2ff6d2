"""What a leader believes of another member."""

from __future__ import annotations

from orchestrator.raft.progress import MAX_IN_FLIGHT, Pace, Progress


def streaming() -> Progress:
    """To a member that has entry 1; a whole window is under way behind it."""
    progress = Progress(2)
    progress.agreed(1)
    for last in range(2, 2 + MAX_IN_FLIGHT):
        progress.sent(last)
    assert progress.paused()
    return progress


def test_one_of_many_refusals_sends_a_stream_anew() -> None:
    """The first append of a stream came last: all that came before it were refused."""
    progress = streaming()
    assert progress.refused(3, 1)
    assert (progress.pace, progress.next) == (Pace.PROBE, 2)
    progress.sent(2)
    progress.agreed(2)
    assert progress.pace is Pace.STREAM
    assert not any(progress.refused(index, 1) for index in range(4, 2 + MAX_IN_FLIGHT))
    assert progress.pace is Pace.STREAM


def test_a_refusal_after_an_answered_heartbeat_is_believed_again() -> None:
    progress = streaming()
    assert progress.refused(3, 1)
    progress.agreed(2)
    progress.sent(3)
    assert not progress.refused(3, 2)
    progress.unanswered()
    assert progress.refused(3, 2)
    assert (progress.pace, progress.next) == (Pace.PROBE, 3)
