"""CEL behind one door: the official C++ engine, with the functions that Kubernetes adds to the language. Pure.

The engine is loaded at the first rule. Source: kubernetes.io/docs/reference/using-api/cel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from orchestrator.apimachinery.quantity import Quantity

MAX_EXPRESSION_CHARACTERS = 16 * 1024
"""Longer ones are refused: the engine has no budget of its own, and no rule that people wrote is this long."""

NONE: Mapping[str, str] = {}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset(
    {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"}
    | {"let", "loop", "package", "namespace", "return", "var", "void", "while"}
)


class Verdict(msgspec.Struct, frozen=True):
    """What became of an evaluation: a value, or ``problem`` in the engine's words."""

    value: Any = None
    problem: str = ""


class Expression:
    """One compiled expression. ``evaluate`` takes the variables that it was compiled with."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self.returns: str = compiled.return_type().name()
        """``BOOL``, ``STRING``, ..., ``DYN`` where only the values tell."""

    def evaluate(self, variables: dict[str, Any]) -> Verdict:
        try:
            found = self._compiled.eval(data=variables)
        except Exception as error:  # the engine raises RuntimeError, and TypeError for values it cannot hold
            return Verdict(problem=_first_line(str(error)))
        if found.type().name() == "ERROR":
            return Verdict(problem=_first_line(str(found.plain_value())))
        return Verdict(found.plain_value())


class CelError(ValueError):
    """An expression that does not compile; the message is the engine's first line."""


def compile_expression(text: str, variables: dict[str, str], bound: Mapping[str, str] = NONE) -> Expression:
    """``variables``: name to type, as ``DYN``, ``STRING``, ``INT``, ``DOUBLE``, ``BOOL``.

    ``bound``: what ``text`` is to see in the place of a variable, as an expression. Raises ``CelError``.
    """
    if len(text) > MAX_EXPRESSION_CHARACTERS:
        raise CelError(f"expected at most {MAX_EXPRESSION_CHARACTERS} characters, found {len(text)}")
    for name, instead in bound.items():
        text = f"cel.bind({name}, {instead}, {text}\n)"  # the line ends a comment that ends the text
    try:
        return Expression(_environment(tuple(sorted(variables.items()))).compile(text))
    except RuntimeError as error:
        raise CelError(_first_line(str(error))) from error


def _first_line(text: str) -> str:
    return text.partition("\n")[0].removeprefix("INVALID_ARGUMENT: ")


@cache
def _environment(variables: tuple[tuple[str, str], ...]) -> Any:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings

    extensions = [
        ext_strings.ExtStrings(),
        ext_bindings.ExtBindings(),
        ext_optional.ExtOptional(),
        ext_math.ExtMath(),
        ext_encoders.ExtEncoders(),
    ]
    types = {name: getattr(cel.Type, kind) for name, kind in variables}
    return cel.NewEnv(variables=types, extensions=extensions, functions=_functions(cel))


def _functions(cel: Any) -> list[Any]:
    """Kubernetes' libraries for strings, lists, URLs and quantities."""
    kind = cel.Type
    declared: dict[str, list[Any]] = {}

    def member(name: str, returns: Any, parameters: list[Any], work: Callable[..., Any]) -> None:
        shape = "_".join(each.name().lower() for each in parameters)
        made = cel.Overload(f"podium_{name}_{shape}", returns, parameters, True, work)
        declared.setdefault(name, []).append(made)

    def plain(name: str, returns: Any, parameters: list[Any], work: Callable[..., Any]) -> None:
        declared.setdefault(name, []).append(cel.Overload(f"podium_{name}", returns, parameters, False, work))

    member("find", kind.STRING, [kind.STRING, kind.STRING], _find)
    member("findAll", kind.LIST, [kind.STRING, kind.STRING], lambda text, pattern: _find_all(text, pattern))
    member("findAll", kind.LIST, [kind.STRING, kind.STRING, kind.INT], _find_all)
    member("isSorted", kind.BOOL, [kind.LIST], lambda items: items == sorted(items))
    member("sum", kind.DYN, [kind.LIST], sum)
    member("min", kind.DYN, [kind.LIST], min)
    member("max", kind.DYN, [kind.LIST], max)
    plain("isURL", kind.BOOL, [kind.STRING], _is_url)
    plain("isQuantity", kind.BOOL, [kind.STRING], _is_quantity)
    return [cel.FunctionDecl(name, overloads) for name, overloads in declared.items()]


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [each[0] for each in re.finditer(pattern, text)]
    return found if limit < 0 else found[:limit]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path.startswith("/")))


def _is_quantity(text: str) -> bool:
    try:
        Quantity.parse(text)
    except ValueError:
        return False
    return True


def escaped(name: str) -> str:
    """A field's name as rules spell it: ``foo-bar`` is ``foo__dash__bar``."""
    if name in _RESERVED:
        return f"__{name}__"
    if _NAME.fullmatch(name) and "__" not in name:
        return name
    for mark, word in (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")):
        name = name.replace(mark, word)
    return name
