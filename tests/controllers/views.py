"""Views of objects that no server has seen."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object, encode
from orchestrator.client.view import Parts, View


def view(obj: Object, revision: int = 1) -> View:
    return View(encode(obj, revision), Parts())
