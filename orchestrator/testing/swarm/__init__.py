"""The swarm: small clusters, each drawn from a seed, under rollouts and faults, held against what may never happen.

In reading order: ``story`` (what a seed is: workloads, steps, faults), ``manifests``, ``telling`` (a story told to a
cluster), ``ledger`` (what was acknowledged), ``log`` (every revision, from the entries of the log), ``observers`` (that
read it alone), ``doubles`` (what runs where), ``convergence`` (what must hold in the end), ``living`` (one seed, a
verdict), ``exploring`` (many).
"""
