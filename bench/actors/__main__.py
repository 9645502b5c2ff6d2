"""``make bench-actors``."""

from __future__ import annotations

import sys

from bench.actors.run import main

if __name__ == "__main__":
    sys.exit(main())
