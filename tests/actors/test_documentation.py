"""Every public name of the library is documented, with its types and what it raises."""

from __future__ import annotations

import builtins
import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import actors
from tools import api_docs

MODULES = api_docs.modules()


def functions(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name in api_docs.public_names(module):
        value = getattr(module, name)
        if inspect.isclass(value):
            for member, function in api_docs.members(value):
                yield f"{name}.{member}", function
        elif inspect.isfunction(value):
            yield name, value


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_name_says_what_it_is(module: ModuleType) -> None:
    classes = [getattr(module, name) for name in api_docs.public_names(module)]
    silent = [cls.__name__ for cls in classes if inspect.isclass(cls) and not api_docs.own_doc(cls)]
    silent += [name for name, function in functions(module) if not api_docs.own_doc(function)]
    assert silent == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_function_has_types(module: ModuleType) -> None:
    untyped = []
    for name, function in functions(module):
        found = inspect.signature(function)
        wanted = [parameter for parameter in found.parameters.values() if parameter.name not in ("self", "cls")]
        if found.return_annotation is found.empty or any(one.annotation is one.empty for one in wanted):
            untyped.append(name)
    assert untyped == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_what_is_said_to_be_raised_exists(module: ModuleType) -> None:
    for name, function in functions(module):
        for sentence in re.findall(r"Raises (.+?)(?:\.\n|\.$|\n\n|\Z)", api_docs.own_doc(function), re.DOTALL):
            for word in re.findall(r"``([A-Z]\w+)``", sentence):
                error = getattr(module, word, None) or getattr(actors, word, None) or getattr(builtins, word, None)
                assert inspect.isclass(error), f"{name} is said to raise {word}, which is no public name"
                assert issubclass(error, Exception), f"{name} is said to raise {word}"


def test_the_page_has_an_entry_for_each_name() -> None:
    page = api_docs.page()
    for module in MODULES:
        for name in api_docs.public_names(module):
            assert re.search(rf"^### (class )?`(async )?{name}\b", page, re.MULTILINE), name
