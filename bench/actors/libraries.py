"""What is measured, and the environment that each needs: the data of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
LOCAL = ("tell", "tell_typed", "tell_small", "tell_encoded", "ask", "ask_typed", "spawn")
REMOTE = ("remote_tell", "remote_ask", "remote_ask_64")
WEIGHED = ("idle",)
"""Each in a fresh process: what was freed before would hide what is taken now."""
ONCE = ("million",)
CASES = LOCAL + REMOTE + WEIGHED + ONCE
BYTES = WEIGHED + ONCE
"""Cases that are read as bytes for each actor."""


@dataclass(frozen=True)
class Library:
    name: str
    script: str
    package: str = ""
    """On PyPI; empty for this tree."""
    loop: str = "asyncio"
    python: tuple[int, int] = (3, 11)
    """The oldest that it runs on."""
    remark: str = ""


LIBRARIES = (
    Library("podium", "with_podium.py", remark="msgpack mailboxes, bounds, supervision"),
    Library("podium, uvloop", "with_podium.py", loop="uvloop", remark="msgpack mailboxes, bounds, supervision"),
    Library("async-pykka", "with_async_pykka.py", "async-pykka", python=(3, 12), remark="by reference, no supervision"),
    Library(
        "everything-is-an-actor",
        "with_everything.py",
        "everything-is-an-actor",
        python=(3, 12),
        remark="by reference, supervision",
    ),
    Library("lapinbeam", "with_lapinbeam.py", "lapinbeam", python=(3, 12), remark="by reference, unbounded"),
    Library("casty", "with_casty.py", "casty", python=(3, 12), remark="serialized, virtual actors, core in Rust"),
    Library("xoscar", "with_xoscar.py", "xoscar", python=(3, 12), remark="by reference in a process"),
    Library("xoscar, uvloop", "with_xoscar.py", "xoscar", loop="uvloop", python=(3, 12), remark="as above"),
    Library("pykka", "with_pykka.py", "pykka", python=(3, 12), remark="by reference, a thread for each actor"),
    Library("thespian", "with_thespian.py", "thespian", python=(3, 12), remark="by reference, synchronous"),
    Library("ray", "with_ray.py", "ray", python=(3, 12), remark="a process for each actor"),
    Library("erlang", "bench.erl", remark="processes, copied from heap to heap"),
)
