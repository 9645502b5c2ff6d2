"""``make bench-actors``."""

from __future__ import annotations

from bench.actors.run import main

if __name__ == "__main__":
    main()
