"""The files of a pod: what each kind of volume holds and where it is.

Reading order: ``sources`` (ConfigMaps, Secrets, tokens, cached), ``payload`` (the files of a volume), ``atomic`` (files
that change all at once), ``volumes`` (every kind of volume of a pod).
"""
