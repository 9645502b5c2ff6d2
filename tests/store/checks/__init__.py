"""What must never happen, each a checker of its own: it is told what the members did, or given what clients saw.

``safety`` (elections, logs, what is applied), ``model`` (what the log means), ``clients`` (real-time order),
``registers`` (linearizability without trusting revisions), ``leases``, ``watching``.
"""


class Violation(AssertionError):
    """A promise that was broken."""
