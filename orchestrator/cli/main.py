"""The table of commands and the one place where an error becomes a line on the terminal."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from orchestrator.apimachinery.jsonpath import PathError
from orchestrator.cli.terminal import CommandError, fail


class Command(NamedTuple):
    """A command lives in ``orchestrator.cli.<module>`` as ``arguments(parser)`` and ``run(options) -> exit code``."""

    name: str
    module: str
    help: str
    group: str


CLUSTER = "the cluster on this machine"
OBJECTS = "objects of any cluster"

COMMANDS: tuple[Command, ...] = (
    Command("up", "up", "start Podium", CLUSTER),
    Command("down", "down", "stop it", CLUSTER),
    Command("status", "status", "how it is, actor by actor", CLUSTER),
    Command("kubeconfig", "kubeconfig", "print or merge the kubeconfig", CLUSTER),
    Command("reset", "reset", "delete its data", CLUSTER),
    Command("version", "version", "versions of the command and the server", CLUSTER),
    Command("store", "store", "the store: serve, check, repair, snapshots, members", CLUSTER),
    Command("simulate", "simulate", "live through many seeded clusters in virtual time", CLUSTER),
    Command("controller", "controller", "run controllers of your own against any cluster", CLUSTER),
    Command("bench", "bench", "measure reconciliation", CLUSTER),
)


def table() -> dict[str, Command]:
    from orchestrator.cli.verbs import VERBS

    return {command.name: command for command in (*COMMANDS, *VERBS)}


def usage(commands: dict[str, Command]) -> str:
    lines = ["usage: podium COMMAND [options]      (podium COMMAND --help says more)"]
    for group in dict.fromkeys(command.group for command in commands.values()):
        lines.append(f"\n{group}:")
        lines.extend(f"  {c.name:<14} {c.help}" for c in commands.values() if c.group == group)
    return "\n".join(lines)


def parsed(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """The options; names may stand among them. What follows ``--`` is ``options.after`` as it stands."""
    end = words.index("--") if "--" in words else len(words)
    try:
        options = parser.parse_intermixed_args(words[:end])
    except TypeError:  # a parser with subcommands cannot mix
        options = parser.parse_args(words[:end])
    options.after = words[end + 1 :]
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 refused or failed, 2 not understood, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    commands = table()
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage(commands))
        return 0
    command = commands.get(words[0])
    if command is None:
        return fail(f"podium: there is no command {words[0]!r}; `podium help` lists them", code=2)
    module = importlib.import_module(f"orchestrator.cli.{command.module}")
    parser = argparse.ArgumentParser(prog=f"podium {command.name}", description=command.help, allow_abbrev=False)
    module.arguments(parser)
    options = parsed(parser, words[1:])
    options.command = command.name
    try:
        code: int = module.run(options)
    except CommandError as error:
        return fail(str(error), code=error.code)
    except PathError as error:
        return fail(str(error), code=2)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
