"""What the words of a command name: ``pods,svc``, ``deploy/web job/backup``, ``pod a b``."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError


class Selection(msgspec.Struct, frozen=True):
    """One resource and the names asked for; no names: all of it."""

    resource: Resource
    names: tuple[str, ...] = ()


def select(session: Session, words: Sequence[str]) -> list[Selection]:
    """Raises ``CommandError`` for words that mix the two forms or name no type."""
    if not words:
        raise CommandError("say what: a type (pods), several (pods,svc) or an object (deploy/web)", code=2)
    if any("/" in word for word in words):
        return _pairs(session, words)
    resources = types(session, words[0])
    if len(words) > 1 and len(resources) > 1:
        raise CommandError("several types take no names; write type/name for each object", code=2)
    return [Selection(resource, tuple(words[1:])) for resource in resources]


def types(session: Session, word: str) -> list[Resource]:
    """``pods,svc`` or a category such as ``all``."""
    found: list[Resource] = []
    for part in word.split(","):
        members = session.discovery.category(part)
        for resource in members or [session.find(part)]:
            if resource not in found:
                found.append(resource)
    return found


def _pairs(session: Session, words: Sequence[str]) -> list[Selection]:
    """Objects of one type that follow each other are one selection."""
    found: list[Selection] = []
    for word in words:
        type_word, slash, name = word.partition("/")
        if not slash or not name:
            raise CommandError(f"expected type/name, found {word!r}; all words must have that form", code=2)
        resource = session.find(type_word)
        if found and found[-1].resource == resource:
            found[-1] = Selection(resource, (*found[-1].names, name))
        else:
            found.append(Selection(resource, (name,)))
    return found


def one(session: Session, words: Sequence[str], default: str = "") -> tuple[Resource, str]:
    """Exactly one object: ``deploy/web``, ``deploy web``, or ``web`` where ``default`` is the type."""
    if len(words) == 1 and "/" not in words[0] and default:
        return session.find(default), words[0]
    selections = select(session, words)
    if len(selections) != 1 or len(selections[0].names) != 1:
        raise CommandError(f"expected one object such as deploy/web, found {' '.join(words)!r}", code=2)
    return selections[0].resource, selections[0].names[0]


def objects(
    session: Session, words: Sequence[str], labels: str = "", everything: bool = False
) -> list[tuple[Resource, str, str]]:
    """(resource, namespace, name) of what is named or selected; no name needs labels or ``--all``."""
    found: list[tuple[Resource, str, str]] = []
    for selection in select(session, words):
        resource = selection.resource
        if selection.names:
            found += [(resource, session.place(resource), name) for name in selection.names]
            continue
        if not labels and not everything:
            raise CommandError(f"which {resource.resource}? give names, -l SELECTOR or --all", code=2)
        for item in session.list(resource, labels=labels):
            found.append((resource, session.place(resource, item), item["metadata"]["name"]))
    return found
