"""Random fractions for all nodes at once, which decide between equal scores.

SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) on whole arrays: as
fast as ``numpy.random``, which takes 3 MB of memory to import.
"""

from __future__ import annotations

from random import Random

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.float64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
MANTISSA_BITS = 53


def fractions(source: Random, count: int) -> Keys:
    """``count`` numbers from 0 to below 1, by the next 64 bits of ``source``."""
    state = np.arange(1, count + 1, dtype=np.uint64) * GOLDEN + np.uint64(source.getrandbits(64))
    state = (state ^ (state >> np.uint64(30))) * FIRST
    state = (state ^ (state >> np.uint64(27))) * SECOND
    state ^= state >> np.uint64(31)
    found: Keys = (state >> np.uint64(64 - MANTISSA_BITS)) * np.float64(2.0**-MANTISSA_BITS)
    return found
