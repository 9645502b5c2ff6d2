"""The testkit that ships with the library: a deterministic loop in virtual time, clocks moved by hand, probes.

Imported by tests only. ``loop`` (virtual time, seeded order), ``clock`` (time moved by hand on any loop), ``network``
(a network in memory that delays, loses, doubles and cuts), ``probe``
(an actor that keeps what it gets), ``plugin`` (pytest: virtual time for every async test).
"""

from actors.testing.clock import SimulatedClock
from actors.testing.loop import EPOCH, Deadlock, DeterministicLoop, NotSimulated, run
from actors.testing.network import MemoryNetwork
from actors.testing.probe import Probe

__all__ = ["EPOCH", "Deadlock", "DeterministicLoop", "MemoryNetwork", "NotSimulated", "Probe", "SimulatedClock", "run"]
