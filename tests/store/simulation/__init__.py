"""A group of stores in virtual time, decided by a seed: the product's members over simulated disks, clocks and network.

``world`` (time and the network), ``disk``, ``node`` (one member and its machine), ``clients`` and ``watchers`` (who
uses it, and what they saw), ``faults`` (what goes wrong), ``universe`` (one seed's life). No actors and no loop: a
member's coroutine is resumed by hand when its disk is done.
"""
