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


def test_of_many_refusals_one_sends_a_stream_anew() -> None:
    """The first append of a stream came last: all that came before it were refused."""
    progress = streaming()
    believed = [progress.refused(index, 1) for index in range(3, 2 + MAX_IN_FLIGHT)]
    assert believed == [True, *[False] * (MAX_IN_FLIGHT - 2)]
    assert (progress.pace, progress.next) == (Pace.PROBE, 2)


def test_a_refused_stream_is_followed_by_a_shorter_one() -> None:
    progress = streaming()
    progress.refused(3, 1)
    progress.sent(2)
    progress.agreed(2)
    sent = 0
    while not progress.paused():
        progress.sent(progress.next)
        sent += 1
    assert sent == MAX_IN_FLIGHT // 2 + 1


def test_a_refusal_after_news_or_an_answered_heartbeat_is_believed_again() -> None:
    progress = streaming()
    assert progress.refused(3, 1)
    progress.agreed(2)
    assert progress.refused(4, 1)
    progress.agreed(2)
    assert not progress.refused(5, 1)
    progress.unanswered()
    assert progress.refused(5, 1)
    assert (progress.pace, progress.next) == (Pace.PROBE, 3)
