"""Protobuf bodies: those that kubectl sent, and those that nobody should send."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from orchestrator.api.check import check
from orchestrator.api.protobuf import ProtobufError, decode
from orchestrator.api.protobuf_writer import encode
from orchestrator.api.schema import schema

DEPLOYMENT = bytes.fromhex(
    "6b3873000a150a07617070732f7631120a4465706c6f796d656e7412bd010a1f0a0377656212001a0022002a003200380042"
    "005a0a0a036170701203776562128b010800120c0a0a0a0361707012037765621a710a1c0a0012001a0022002a0032003800"
    "42005a0a0a036170701203776562125112330a056e67696e78120a6e67696e783a312e32372a00320a0a001000185022002a"
    "0042006a007200800100880100900100a201001a00320042004a0052005800600068008201008a01009a0100c2010022020a"
    "00280038001a0c0800100018002000280038001a002200"
)
"""`kubectl create deployment web --image=nginx:1.27 --replicas=0 --port=80`, kubectl 1.32."""

SECRET = bytes.fromhex(
    "6b3873000a0c0a027631120653656372657412210a110a017312001a0022002a00320038004200120a0a0161120568656c6c6f1a001a002200"
)
"""`kubectl create secret generic s --from-literal=a=hello`."""

SERVICE = bytes.fromhex(
    "6b3873000a0d0a02763112075365727669636512690a1f0a0373766312001a0022002a003200380042005a0a0a0361707012"
    "0373766312420a1b0a0738302d38303830120354435018502207080010903f1a002800120a0a0361707012037376631a0022"
    "09436c757374657249503a00420052005a00600068001a020a001a002200"
)
"""`kubectl create service clusterip svc --tcp=80:8080`."""

BUDGET = bytes.fromhex(
    "6b3873000a200a09706f6c6963792f76311213506f6444697372757074696f6e42756467657412360a110a017012001a0022"
    "002a0032003800420012150a09080110001a0335302512080a060a01611201621a0a080018002000280030001a002200"
)
"""`kubectl create pdb p --selector=a=b --min-available=50%`."""

QUOTA = bytes.fromhex(
    "6b3873000a130a027631120d5265736f7572636551756f746112300a110a017112001a0022002a0032003800420012190a0a"
    "0a0363707512030a01310a0b0a04706f647312030a01321a001a002200"
)
"""`kubectl create quota q --hard=cpu=1,pods=2`."""

TOKEN = bytes.fromhex(
    "6b3873000a280a1861757468656e7469636174696f6e2e6b38732e696f2f7631120c546f6b656e52657175657374121d0a10"
    "0a0012001a0022002a00320038004200120320901c1a040a0012001a002200"
)
"""`kubectl create token default --duration=1h`."""

CRON_JOB = bytes.fromhex(
    "6b3873000a130a0862617463682f7631120743726f6e4a6f62129c010a120a02636a12001a0022002a003200380042001283"
    "010a092a202a202a202a202a1a002a740a120a02636a12001a0022002a00320038004200125e325c0a100a0012001a002200"
    "2a00320038004200124812210a02636a120762757379626f782a0042006a007200800100880100900100a201001a094f6e46"
    "61696c757265320042004a0052005800600068008201008a01009a0100c201001a001a002200"
)
"""`kubectl create cronjob cj --image=busybox --schedule='* * * * *'`."""

CAPTURED = [DEPLOYMENT, SECRET, SERVICE, BUDGET, QUOTA, TOKEN, CRON_JOB]


def test_a_deployment_of_kubectl_is_what_it_would_be_in_json() -> None:
    assert decode(DEPLOYMENT) == {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {
                            "name": "nginx",
                            "image": "nginx:1.27",
                            "ports": [{"containerPort": 80}],
                            "resources": {},
                        }
                    ]
                },
            },
        },
        "status": {},
    }


def test_bytes_become_base64() -> None:
    assert decode(SECRET)["data"] == {"a": "aGVsbG8="}


def test_ports_and_percentages_keep_their_type() -> None:
    assert decode(SERVICE)["spec"]["ports"][0]["targetPort"] == 8080
    assert decode(BUDGET)["spec"]["minAvailable"] == "50%"


def test_quantities_become_text() -> None:
    assert decode(QUOTA)["spec"]["hard"] == {"cpu": "1", "pods": "2"}


def test_zeros_that_json_always_carries_stay() -> None:
    assert decode(BUDGET)["status"] == {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    }


def test_subresource_bodies_are_decoded_by_their_own_kind() -> None:
    token = decode(TOKEN)
    assert (token["kind"], token["apiVersion"]) == ("TokenRequest", "authentication.k8s.io/v1")
    assert token["spec"]["expirationSeconds"] == 3600


@pytest.mark.parametrize("body", CAPTURED)
def test_writing_what_was_read_gives_the_same_bytes(body: bytes) -> None:
    assert encode(decode(body)) == body


@pytest.mark.parametrize("body", CAPTURED)
def test_what_is_read_fits_its_type_unchanged(body: bytes) -> None:
    obj = decode(body)
    group, _, version = obj["apiVersion"].rpartition("/")
    outcome = check(obj, schema().type(group, version, obj["kind"]))
    assert outcome.obj is obj


POD: dict[str, Any] = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {
        "name": "web",
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "u", "controller": True}
        ],
        "managedFields": [
            {
                "manager": "m",
                "operation": "Update",
                "time": "1969-12-31T23:59:59Z",
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {}},
            }
        ],
    },
    "spec": {
        "volumes": [{"name": "v", "configMap": {"name": "c", "defaultMode": 420}}],
        "containers": [
            {
                "name": "a",
                "args": ["x", ""],
                "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
                "livenessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": -1},
            }
        ],
        "nodeSelector": {"a": "", "b": "c"},
        "hostNetwork": True,
    },
    "status": {},
}


def test_a_pod_survives_the_way_there_and_back() -> None:
    assert decode(encode(POD)) == POD


def test_micro_times_and_pointers_to_empty_strings_survive() -> None:
    lease = {
        "kind": "Lease",
        "apiVersion": "coordination.k8s.io/v1",
        "metadata": {"name": "a"},
        "spec": {"holderIdentity": "", "leaseDurationSeconds": 0, "renewTime": "2026-01-02T03:04:05.000006Z"},
    }
    assert decode(encode(lease)) == lease


def test_schemas_inside_schemas_survive() -> None:
    properties: dict[str, Any] = {
        "a": {"type": "array", "items": {"type": "string"}},
        "b": {"additionalProperties": False, "default": {"x": [1, None]}},
        "c": {"additionalProperties": {"type": "integer"}, "maximum": 1.5},
        "d": {"items": [{"type": "string"}], "dependencies": {"x": ["y"], "z": {"type": "object"}}},
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": False,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
    }
    definition = {
        "kind": "CustomResourceDefinition",
        "apiVersion": "apiextensions.k8s.io/v1",
        "metadata": {"name": "as.g"},
        "spec": {"group": "g", "names": {"plural": "as", "kind": "A"}, "scope": "Cluster", "versions": [version]},
        "status": {"acceptedNames": {"kind": "A", "plural": "as"}},
    }
    read = decode(encode(definition))
    found = read["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    assert found == properties


def test_wrapped_lists_and_objects_in_objects_survive() -> None:
    review = {
        "kind": "SubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {"user": "a", "extra": {"k": ["1", "2"], "e": []}},
        "status": {"allowed": False},
    }
    assert decode(encode(review)) == review
    everything = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": [POD]}
    assert decode(encode(everything)) == everything


def test_an_object_in_an_envelope_inside_an_object_is_decoded() -> None:
    raw = encode({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "inner"}})
    item = b"\x12" + _sized(b"\x0a" + _sized(raw))
    body = b"k8s\0" + b"\x0a\x0a\x0a\x02v1\x12\x04List" + b"\x12" + _sized(item)
    assert decode(body)["items"] == [{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "inner"}}]


def _sized(content: bytes) -> bytes:
    assert len(content) < 128
    return bytes((len(content),)) + content


def test_field_numbers_of_a_newer_kubernetes_are_skipped() -> None:
    newer = b"\xa0\x7f\x05" + b"\xaa\x7f\x02hi"
    body = b"k8s\0" + b"\x0a\x0f\x0a\x02v1\x12\x09Namespace" + b"\x12" + _sized(newer + b"\x0a\x03\x0a\x01n")
    assert decode(body)["metadata"] == {"name": "n"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "does not appear to be a protobuf message"),
        (b'{"kind": "Pod"}', "does not appear to be a protobuf message"),
        (b"k8s\0", 'no kind "" is registered for version ""'),
        (b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pot", 'no kind "Pot" is registered for version "v1"'),
        (b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x7f", "unexpected EOF"),
        (b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x02\x08\x01", "wrong wireType = 0 for field metadata"),
        (b"k8s\0" + b"\xff" * 20, "integer overflow"),
        (b"k8s\0\x0b", "illegal wireType|wrong wireType"),
    ],
)
def test_what_is_wrong_is_said(body: bytes, message: str) -> None:
    with pytest.raises(ProtobufError, match=message):
        decode(body)


@pytest.mark.parametrize("body", CAPTURED)
def test_a_truncated_body_is_an_error_and_never_a_crash(body: bytes) -> None:
    for end in range(len(body)):
        try:
            decode(body[:end])
        except ProtobufError:
            continue


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_body_is_an_error_and_never_a_crash(seed: int) -> None:
    generator = random.Random(seed)
    for body in CAPTURED:
        damaged = bytearray(body)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(4, len(damaged))] = generator.randrange(256)
        try:
            decode(bytes(damaged))
        except ProtobufError:
            continue


def test_messages_inside_messages_end_somewhere() -> None:
    schema_props: dict[str, Any] = {"type": "object"}
    for _ in range(150):
        schema_props = {"not": schema_props}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema_props}}
    names = {"plural": "as", "kind": "A"}
    definition = copy.deepcopy(
        {
            "kind": "CustomResourceDefinition",
            "apiVersion": "apiextensions.k8s.io/v1",
            "spec": {"group": "g", "names": names, "scope": "Cluster", "versions": [version]},
        }
    )
    body = encode(definition)
    with pytest.raises(ProtobufError, match="exceeded max depth"):
        decode(body)


def test_numbers_outside_of_the_calendar_are_an_error() -> None:
    meta = b"\x42\x0b\x08" + b"\xff" * 8 + b"\x7f\x10"
    body = b"k8s\0" + b"\x0a\x0f\x0a\x02v1\x12\x09Namespace" + b"\x12" + _sized(b"\x0a" + _sized(meta))
    with pytest.raises(ProtobufError):
        decode(body)
