"""The protobuf form of OpenAPI version 2 says what the JSON form says, where gnostic's messages have it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from orchestrator.api.openapi import openapi_v2
from orchestrator.api.openapi_protobuf import document
from orchestrator.api.schema import schema


@cache
def swagger() -> dict[str, Any]:
    return openapi_v2(schema().resources)


@cache
def written() -> bytes:
    return document(swagger())


def fields(message: bytes) -> dict[int, list[Any]]:
    """A message by the wire alone: number to values in order."""
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        if key & 7 == 2:
            content = message[at : at + value]
            at += value
            found.setdefault(key >> 3, []).append(content)
        else:
            assert key & 7 == 0, f"wire type {key & 7} at {at}"
            found.setdefault(key >> 3, []).append(value)
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def pairs(content: bytes) -> dict[str, dict[int, list[Any]]]:
    return {one[1][0].decode(): fields(one[2][0]) for one in map(fields, fields(content)[1])}


def definitions() -> dict[str, dict[int, list[Any]]]:
    return pairs(fields(written())[9][0])


def paths() -> dict[str, dict[int, list[Any]]]:
    listed = fields(fields(written())[8][0])[2]
    return {one[1][0].decode(): fields(one[2][0]) for one in map(fields, listed)}


def test_every_definition_and_path_is_there_under_its_name() -> None:
    assert list(definitions()) == list(swagger()["definitions"])
    assert list(paths()) == list(swagger()["paths"])
    assert fields(written())[1] == [b"2.0"]


def test_a_list_says_what_its_items_are_and_which_kind_it_is() -> None:
    pod_list = definitions()["io.k8s.api.core.v1.PodList"]
    items = pairs(pod_list[25][0])["items"]
    assert fields(items[22][0])[1] == [b"array"]
    reference = fields(fields(items[23][0])[1][0])
    assert reference[1] == [b"#/definitions/io.k8s.api.core.v1.Pod"]
    extension = fields(pod_list[31][0])
    assert extension[1] == [b"x-kubernetes-group-version-kind"]
    assert fields(extension[2][0])[2] == [b'[{"group":"","version":"v1","kind":"PodList"}]']


def test_an_operation_says_its_parameters_where_they_are() -> None:
    path = paths()["/api/v1/namespaces/{namespace}/pods/{name}"]
    patch = fields(path[8][0])
    assert patch[5] == [b"patchCoreV1NamespacedPod"]
    parameters = [fields(fields(each)[1][0]) for each in patch[8]]
    assert fields(parameters[0][1][0])[2] == [b"body"]
    query = fields(fields(parameters[1][2][0])[3][0])
    assert (query[2], query[4]) == ([b"query"], [b"dryRun"])


def test_a_field_that_no_message_has_is_an_error_and_not_dropped() -> None:
    with pytest.raises(KeyError, match="surprise"):
        document({"swagger": "2.0", "surprise": 1})
