"""``make bench-actors``: the actor library beside its peers."""

from __future__ import annotations

from bench.actors.run import main

if __name__ == "__main__":
    main()
