"""All groups of cases, in the order they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.oracle.cases import BASICS, Case
from tests.oracle.clients import CLIENTS

GROUPS: dict[str, Callable[[], Iterator[Case]]] = BASICS | CLIENTS
