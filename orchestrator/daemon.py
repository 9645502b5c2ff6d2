"""The long-lived process: a cluster with its state on disk, an HTTPS door and a record of itself for the command.

SIGTERM stops the daemon and leaves containers running, for the next start to adopt; SIGINT (``podium down``, Ctrl-C)
stops them too. Whatever keeps it from starting is one line that says what and how to go on.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import errno
import gc
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator import __version__
from orchestrator.cli.datadir import DaemonRecord, process_start_ticks, record_path, write_record
from orchestrator.collecting import SPARING
from orchestrator.config import ClusterConfig, ConfigError, settings
from orchestrator.fastloop import new_loop

SWITCH_SECONDS = 2e-5
"""How soon the interpreter lets the log's thread run: with the default of 5 ms a busy loop starves every commit."""
COLLECT_OBJECTS = 200_000, 20, 100
"""Thresholds of the garbage collector. Long-lived state is bytes; with the defaults a busy cluster spends a third of
its time looking at it again. A look at so many takes a tenth of a second and more; most are left out (``Sparing``)."""


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Of glibc's ``mallopt``."""
LARGE_BYTES = 16 << 20
"""What is larger goes back to the kernel when it is done with. The frame of 512 writes, 2 MB, does not: its pages were
asked for anew each time, fourteen faults a pod. The housekeeper gives back what is free when a burst is over."""


class StartError(Exception):
    """The daemon cannot start; the message is one line."""


def run(config: ClusterConfig, ready: int | None = None) -> int:
    """Serve until a signal says stop; the exit code. ``ready`` is a descriptor that is told how the start went."""
    began = time.monotonic()
    tune()
    plain_logs()
    from orchestrator.pki import make_aside

    try:
        config = _settle(config)
        made = make_aside(config, _url(config), time.time())
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serve(config, ready, began, made))
    except StartError as error:
        _say(ready, {"error": str(error)})
        print(f"podium up: {error}", file=sys.stderr)
        return 1
    return 0


def tune() -> None:
    """What a process that runs a cluster and little else should set; an embedder decides for itself."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*COLLECT_OBJECTS)
    SPARING.begin()
    _give_back()


def _give_back() -> None:
    """Have the C library return what a burst left: one arena, and pages of their own for very large frames."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(M_ARENA_MAX, 1)
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(M_TRIM_THRESHOLD, LARGE_BYTES)


async def serve(config: ClusterConfig, ready: int | None, began: float, made: Callable[[], object]) -> None:
    """One life of the daemon. ``made`` waits for its keys. Raises StartError when it cannot begin."""
    from orchestrator.cluster import Cluster
    from orchestrator.pki import prepare

    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop, stopped, number)
    directory = config.data_dir
    assert directory is not None
    url = _url(config)
    made()
    pki = prepare(config, url, time.time())
    cluster = Cluster(config, pki=pki, opening=lambda: _write_private(directory / "kubeconfig", pki.kubeconfig))
    try:
        await cluster.__aenter__()
    except Exception as error:
        raise StartError(_refused(error, directory)) from error
    try:
        from orchestrator.controllers.outside import installed
        from orchestrator.housekeeping import Housekeeper
        from orchestrator.specs import member_spec

        for name, controller in installed():
            await cluster.run(controller, name)
        await cluster.system.spawn(member_spec(Housekeeper, "housekeeper"))
        record = _record(config, url, cluster.node_factory.runtime, cluster.node_factory.note, time.monotonic() - began)
        write_record(directory, record)
        _say(ready, {"url": url})
        if ready is None:
            from orchestrator.cli.up import came_up

            print(f"{came_up(record, record.startup_seconds)}\nCtrl-C stops it", flush=True)
        cluster.node_factory.keep_containers = await stopped == signal.SIGTERM
    finally:
        record_path(directory).unlink(missing_ok=True)
        await cluster.__aexit__(None, None, None)


def plain_logs() -> None:
    """Log lines of ``key=value`` on standard error. structlog draws tracebacks with rich where it finds it: that is
    0.3 s and 10 MB which a daemon does not need."""
    rich = sys.modules.get("rich")
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog

    if rich is None:
        del sys.modules["rich"]
    else:
        sys.modules["rich"] = rich
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _stop(stopped: asyncio.Future[int], number: int) -> None:
    if not stopped.done():
        stopped.set_result(number)


def _url(config: ClusterConfig) -> str:
    assert config.listen is not None
    return f"https://{_host(config.listen[0])}:{config.listen[1]}"


def _settle(config: ClusterConfig) -> ClusterConfig:
    """The configuration with a directory that can be used and a port that is free. Raises StartError."""
    from dataclasses import replace

    assert config.data_dir is not None
    host, port = config.listen or ("127.0.0.1", 0)
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StartError(f"cannot use {config.data_dir}: {error.strerror}; choose another with --data-dir") from error
    try:
        with socket.create_server((host, port)) as probe:
            return replace(config, listen=(host, probe.getsockname()[1]))
    except OSError as error:
        hint = "something listens there already" if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise StartError(f"cannot listen on {host}:{port}: {hint}; choose another with --listen HOST:PORT") from error


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _host(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _refused(error: BaseException, directory: Path) -> str:
    """The reason; where it does not name the directory, with the directory and how to go on."""
    reason = _reason(error)
    if not isinstance(error, ConfigError) and str(directory) not in reason:
        reason = f"cannot use {directory}: {reason}; make it usable or choose another with --data-dir"
    return reason


def _reason(error: BaseException) -> str:
    """The innermost cause, as one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__


def _record(config: ClusterConfig, url: str, runtime: str, note: str, seconds: float) -> DaemonRecord:
    ticks = process_start_ticks(os.getpid())
    assert ticks is not None
    return DaemonRecord(os.getpid(), ticks, url, config.nodes, runtime, note, __version__, round(seconds, 3))


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".tmp")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def _say(ready: int | None, message: dict[str, Any]) -> None:
    if ready is not None:
        with os.fdopen(ready, "w", closefd=True) as sink:
            sink.write(json.dumps(message) + "\n")


def main() -> int:
    """``python -m orchestrator.daemon``: what ``podium up --detach`` starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready-fd", type=int)
    parser.add_argument("--settings", required=True, help="the settings as a JSON object")
    options = parser.parse_args()
    try:
        config = ClusterConfig(**{"kernel": os.geteuid() == 0, **settings(json.loads(options.settings))})
    except ConfigError as error:
        _say(options.ready_fd, {"error": str(error)})
        return 2
    return run(config, options.ready_fd)


if __name__ == "__main__":
    sys.exit(main())
