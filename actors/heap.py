"""The memory of drained mailboxes stays with the process.

A mailbox of a thousand frames of a kilobyte, filled and drained over and over, takes its memory from the top of the C
library's heap and gives it back. By default glibc returns what is free there to the kernel from 128 KiB on, so that
each round asks for all of its pages anew: a page fault for every third frame, which costs as much as the message itself
(``docs/designs/0002-what-mail-costs.md``).
"""

from __future__ import annotations

HEAP_BYTES = 4 << 20
"""Three mailboxes of the default bound with frames of 1.3 KiB. glibc then keeps up to twice as much at the top."""


def keep_heap() -> None:
    """Let the allocator keep what mailboxes use.

    glibc raises its thresholds to fit the largest block that was mapped and given back: one such block, whose pages
    are never touched, is all it takes. Elsewhere, and where the program has set the thresholds itself, this does
    nothing. The cost is up to ``2 * HEAP_BYTES`` that stay resident after a peak.
    """
    bytes(HEAP_BYTES)
