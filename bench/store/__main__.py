"""``make bench-store``: the parts of the store's benchmark, one process each, results in ``bench/results/``.

``python -m bench.store [PART ...]``: ``beside`` (etcd and ours through the JSON gateway, by wrk), ``run`` (in process),
``watching`` (1,000 and 10,000 watchers), ``growth`` (to a million keys, restart, memory).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.store import plots

PARTS = ("beside", "run", "watching", "growth")
RESULTS = Path(__file__).parents[1] / "results"


def main() -> int:
    parts = sys.argv[1:] or PARTS
    if unknown := sorted(set(parts) - set(PARTS)):
        print(f"expected parts of {', '.join(PARTS)}, found {', '.join(unknown)}", file=sys.stderr)
        return 2
    code = 0
    for part in parts:
        print(f"== {part}", flush=True)
        code = subprocess.run([sys.executable, "-m", f"bench.store.{part}"], check=False).returncode or code
    for name, draw in (("beside", plots.beside), ("growth", plots.growth)):
        found = RESULTS / f"store-{name}.json"
        if found.exists():
            draw(json.loads(found.read_text()), found.with_suffix(".svg"))
    return code


if __name__ == "__main__":
    sys.exit(main())
