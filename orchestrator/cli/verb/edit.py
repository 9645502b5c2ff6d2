"""``podium edit``: an object in your editor; what you changed is written, if nobody else changed it meanwhile."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import manifests
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import MANAGER, Session
from orchestrator.cli.show import output
from orchestrator.cli.terminal import CommandError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", help="deploy/web or deploy web")
    parser.add_argument("--subresource", default="", choices=("", "status"))
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        resource, name = words.one(session, options.what)
        title = resource.title(name)
        before = output.yaml_text(output.without_managed(session.get(resource, name)))
        after, draft = edited(before, f"podium-{resource.resource}-{name}-")
        if after.strip() in ("", before.strip()):
            draft.unlink()
            print(f"{title} not changed")
            return 0
        try:
            obj = manifests.parse(str(draft), after)[0].object
            path = resource.path(session.place(resource), name, options.subresource)
            session.connection.call("PUT", path, {"fieldManager": MANAGER, "fieldValidation": "Strict"}, obj)
        except CommandError as error:
            raise CommandError(f"{error}; your text is kept in {draft}") from error
        draft.unlink()
        print(f"{title} edited")
    return 0


def edited(text: str, prefix: str) -> tuple[str, Path]:
    """What the editor left, and the file it stands in."""
    editor = os.environ.get("KUBE_EDITOR") or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=".yaml")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft = Path(name)
    try:
        code = subprocess.call([*shlex.split(editor), name])
    except OSError as error:
        raise CommandError(f"cannot start the editor {editor!r}: {error.strerror}; set $EDITOR") from error
    if code != 0:
        raise CommandError(f"the editor {editor!r} ended with {code}; nothing was changed")
    return draft.read_text(), draft
