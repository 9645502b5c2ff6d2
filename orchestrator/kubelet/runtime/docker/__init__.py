"""Containers through a Docker engine (aiodocker, imported on first need).

Reading order: ``runtime`` (the interface), ``specification`` (what the engine is asked to make), ``reading`` (what it
says of containers), ``session`` (exec and attach), ``images``, ``pause`` (the image of a sandbox, made in memory),
``engine`` (what it refuses).
"""
