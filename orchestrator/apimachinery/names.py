"""The rules of names. Each returns what is wrong with a text, in Kubernetes' words; an empty list is good.

Answers are remembered: names and label keys repeat by the thousand. The remembered list must not be changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

REMEMBERED = 512
"""Texts remembered by each rule: labels and images come again and again, the names of objects do not."""

NameRule = Callable[[str], list[str]]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _LABEL + r"(\." + _LABEL + ")*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_WILDCARD = r"\*\." + _SUBDOMAIN
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_PERCENT = "[0-9]+%"
_HEADER = "[-A-Za-z0-9]+"
_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"

_is_label = re.compile(_LABEL).fullmatch
_is_subdomain = re.compile(_SUBDOMAIN).fullmatch
_is_1035 = re.compile(_LABEL_1035).fullmatch
_is_key = re.compile(_KEY).fullmatch
_is_value = re.compile(_VALUE).fullmatch
_is_wildcard = re.compile(_WILDCARD).fullmatch
_is_config_key = re.compile(_CONFIG_KEY).fullmatch
_is_percent = re.compile(_PERCENT).fullmatch
_is_header = re.compile(_HEADER).fullmatch
_is_identifier = re.compile(_IDENTIFIER).fullmatch
_is_port_name = re.compile("[-a-z0-9]+").fullmatch

_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
_KEY_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_VALUE_TEXT = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"  # noqa: E501
_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
    "which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)


def regex_error(text: str, pattern: str, *examples: str) -> str:
    """``text`` with examples and the pattern that was tried."""
    if not examples:
        return f"{text} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


def max_length_error(limit: int, unit: str = "characters") -> str:
    """Upstream says bytes of label keys and values, and characters of all other names."""
    return f"must be no more than {limit} {unit}"


def range_error(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


def _bytes(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode())


@lru_cache(REMEMBERED)
def dns_label(value: str) -> list[str]:
    """RFC 1123 label: at most 63 of ``[-a-z0-9]``."""
    errors = [max_length_error(63)] if _bytes(value) > 63 else []
    if not _is_label(value):
        if _is_subdomain(value):
            errors.append("must not contain dots")
        else:
            errors.append(regex_error(_LABEL_TEXT, _LABEL, "my-name", "123-abc"))
    return errors


@lru_cache(REMEMBERED)
def dns_subdomain(value: str) -> list[str]:
    """RFC 1123 subdomain: labels with dots, at most 253; the rule of most objects' names."""
    errors = [max_length_error(253)] if _bytes(value) > 253 else []
    if not _is_subdomain(value):
        errors.append(regex_error(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
    return errors


@lru_cache(REMEMBERED)
def dns_1035_label(value: str) -> list[str]:
    """RFC 1035 label: as ``dns_label`` but starts with a letter (Service names before 1.36)."""
    errors = [max_length_error(63)] if _bytes(value) > 63 else []
    if not _is_1035(value):
        errors.append(regex_error(_LABEL_1035_TEXT, _LABEL_1035, "my-name", "abc-123"))
    return errors


@lru_cache(REMEMBERED)
def wildcard_subdomain(value: str) -> list[str]:
    errors = [max_length_error(253)] if _bytes(value) > 253 else []
    if not _is_wildcard(value):
        errors.append(regex_error(_WILDCARD_TEXT, _WILDCARD, "*.example.com"))
    return errors


@lru_cache(REMEMBERED)
def path_segment(value: str) -> list[str]:
    """Anything that can stand between two slashes of a URL (RBAC names)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{bad}'" for bad in ("/", "%") if bad in value]


@lru_cache(REMEMBERED)
def label_key(value: str) -> list[str]:
    """A label key, or any "qualified name": ``[prefix/]name``."""
    prefix, slash, name = value.rpartition("/")
    errors: list[str] = []
    if "/" in prefix:
        text = regex_error(_KEY_TEXT, _KEY, "MyName", "my.name", "123-abc")
        return [f"a valid label key {text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    if slash and not prefix:
        errors.append("prefix part must be non-empty")
    elif slash:
        errors.extend(f"prefix part {text}" for text in _prefix_errors(prefix))
    if not name:
        errors.append("name part must be non-empty")
    elif _bytes(name) > 63:
        errors.append(f"name part {max_length_error(63, 'bytes')}")
    if not _is_key(name):
        errors.append(f"name part {regex_error(_KEY_TEXT, _KEY, 'MyName', 'my.name', '123-abc')}")
    return errors


def _prefix_errors(prefix: str) -> list[str]:
    errors = [max_length_error(253, "bytes")] if _bytes(prefix) > 253 else []
    if not _is_subdomain(prefix):
        errors.append(regex_error(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
    return errors


@lru_cache(REMEMBERED)
def label_value(value: str) -> list[str]:
    errors = [max_length_error(63, "bytes")] if _bytes(value) > 63 else []
    if not _is_value(value):
        errors.append(regex_error(_VALUE_TEXT, _VALUE, "MyValue", "my_value", "12345"))
    return errors


@lru_cache(REMEMBERED)
def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret: it becomes a file name."""
    errors = [max_length_error(253)] if _bytes(value) > 253 else []
    if not _is_config_key(value):
        text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        errors.append(regex_error(text, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return errors + _directory_error(value)


def _directory_error(value: str) -> list[str]:
    if value == ".":
        return ["must not be '.'"]
    if value == "..":
        return ["must not be '..'"]
    return ["must not start with '..'"] if value.startswith("..") else []


@lru_cache(REMEMBERED)
def environment_name(value: str) -> list[str]:
    """An environment variable's name: printable ASCII without '='."""
    errors = [] if value else ["environment variable name must be non-empty"]
    if not value.isascii() or not value.isprintable() or "=" in value:
        errors.append(
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
        )
    return errors


@lru_cache(REMEMBERED)
def port_name(value: str) -> list[str]:
    """An IANA service name: at most 15 of ``[-a-z0-9]`` with a letter in it."""
    errors = [max_length_error(15)] if _bytes(value) > 15 else []
    if not _is_port_name(value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any("a" <= char <= "z" for char in value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


@lru_cache(REMEMBERED)
def percent(value: str) -> list[str]:
    if _is_percent(value):
        return []
    text = "a valid percent string must be a numeric string followed by an ending '%'"
    return [regex_error(text, _PERCENT, "1%", "93%")]


@lru_cache(REMEMBERED)
def header_name(value: str) -> list[str]:
    if _is_header(value):
        return []
    text = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [regex_error(text, _HEADER, "X-Header-Name")]


@lru_cache(REMEMBERED)
def identifier(value: str) -> list[str]:
    """A name in C, such as a CEL variable's."""
    if _is_identifier(value):
        return []
    text = (
        "a valid C identifier must start with alphabetic character or '_', "
        "followed by a string of alphanumeric characters or '_'"
    )
    return [regex_error(text, _IDENTIFIER, "my_name", "MY_NAME", "MyName")]


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else [range_error(1, 65535)]
