"""``python -m bench.store``."""

from bench.store.run import main

main()
