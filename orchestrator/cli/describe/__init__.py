"""An object for people to read, with what belongs to it. Pure: objects in, lines out; ``verb/describe`` asks for them.

In reading order: ``page`` (labels, sections, nesting), ``template`` (containers and volumes), then one module for
each kind that has more to say than its fields: ``pod``, ``workload``, ``service``, ``node``; ``generic`` is for the
others.
"""
