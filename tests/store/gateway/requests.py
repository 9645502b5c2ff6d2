"""Requests that etcd and the gateway must answer alike, in the order they are sent. ``b`` makes base64."""

from __future__ import annotations

from base64 import b64encode
from typing import Any


def b(text: str) -> str:
    return b64encode(text.encode()).decode()


def end(prefix: str) -> str:
    return b(prefix[:-1] + chr(ord(prefix[-1]) + 1))


def put(key: str, value: str, **options: Any) -> tuple[str, Any]:
    return "kv/put", {"key": b(key), "value": b(value), **options}


def read(key: str, **options: Any) -> tuple[str, Any]:
    return "kv/range", {"key": b(key), **options}


def compare(key: str, target: str, result: str, **operand: Any) -> Any:
    return {"key": b(key), "target": target, "result": result, **operand}


ALL = {"key": "AA==", "range_end": "AA=="}

REQUESTS: list[tuple[str, Any]] = [
    ("kv/range", ALL),
    read("nothing"),
    ("kv/range", {}),
    put("a", "1"),
    put("a", "2", prev_kv=True),
    put("b", "1", prevKv=True),
    put("", "1"),
    put("c", ""),
    read("c"),
    put("a", "x", ignore_value=True),
    put("zz", "", ignore_value=True),
    put("a", "", ignore_value=True, prev_kv=True),
    put("a", "", lease=77),
    *[put(f"p/{i:02}", f"value {i}") for i in range(12)],
    read("p/", range_end=end("p/")),
    read("p/", range_end=end("p/"), limit=5),
    read("p/", range_end=end("p/"), limit=12),
    read("p/", range_end=end("p/"), limit=100, keys_only=True),
    read("p/", range_end=end("p/"), count_only=True),
    read("p/03", range_end=b("p/07")),
    read("p/03\0", range_end=b("p/07"), limit="2"),
    read("p/03", range_end="AA=="),
    read("p/", range_end=end("p/"), sort_order="DESCEND"),
    read("p/", range_end=end("p/"), sort_order="DESCEND", sort_target="MOD", limit=3),
    read("p/", range_end=end("p/"), sort_order="ASCEND", sort_target="VALUE"),
    read("p/", range_end=end("p/"), sort_target="VERSION"),
    read("p/", range_end=end("p/"), min_mod_revision=12),
    read("p/", range_end=end("p/"), max_create_revision="12", limit=2),
    read("p/05", range_end=b("p/01")),
    read("a", revision=2),
    read("a", revision=3),
    read("b", revision=2),
    read("a", revision=999),
    read("a", revision=1),
    read("", range_end=b("c")),
    ("kv/range", {"key": "not base64!"}),
    ("kv/range", {"key": b("a"), "unknown_field": 1}),
    ("kv/deleterange", {"key": b("nothing")}),
    ("kv/deleterange", {"key": b("b"), "prev_kv": True}),
    read("b"),
    read("b", revision=4),
    ("kv/deleterange", {"key": b("p/00"), "range_end": b("p/03")}),
    read("p/", range_end=end("p/"), count_only=True),
    put("b", "again"),
    ("kv/txn", {}),
    ("kv/txn", {"compare": [compare("a", "VERSION", "GREATER", version=1)], "success": [{"request_range": ALL}]}),
    ("kv/txn", {"compare": [compare("q", "CREATE", "EQUAL")], "success": [{"request_put": put("q", "new")[1]}]}),
    (
        "kv/txn",
        {
            "compare": [compare("q", "CREATE", "EQUAL", create_revision=0)],
            "success": [{"request_put": put("q", "never")[1]}],
            "failure": [{"request_range": read("q")[1]}],
        },
    ),
    *[
        (
            "kv/txn",
            {
                "compare": [compare(key, target, result, **{field: operand})],
                "success": [{"request_range": read("a")[1]}],
                "failure": [{"request_range": read("b")[1]}],
            },
        )
        for target, field in (("MOD", "mod_revision"), ("CREATE", "create_revision"), ("VERSION", "version"))
        for key in ("a", "none")
        for result in ("EQUAL", "NOT_EQUAL", "GREATER", "LESS")
        for operand in (0, 1, 2, "6", 20)
    ],
    *[
        ("kv/txn", {"compare": [compare(key, "VALUE", result, value=b(value))]})
        for key in ("a", "c", "none")
        for result in ("EQUAL", "NOT_EQUAL", "GREATER", "LESS")
        for value in ("", "2", "z")
    ],
    ("kv/txn", {"compare": [compare("a", "LEASE", "EQUAL", lease=0)], "success": [{"requestPut": put("l", "1")[1]}]}),
    (
        "kv/txn",
        {
            "compare": [compare("p/", "VERSION", "EQUAL", version=1, range_end=end("p/"))],
            "success": [
                {"request_put": put("p/50", "x", prev_kv=True)[1]},
                {"request_range": read("p/", range_end=end("p/"), limit=2)[1]},
                {"request_delete_range": {"key": b("p/03"), "range_end": b("p/06"), "prev_kv": True}},
                {"request_range": read("p/", range_end=end("p/"))[1]},
                {"request_range": read("p/03", revision=12)[1]},
            ],
        },
    ),
    ("kv/txn", {"success": [{"request_put": put("d", "1")[1]}, {"request_put": put("d", "2")[1]}]}),
    (
        "kv/txn",
        {"success": [{"request_put": put("d", "1")[1]}, {"request_delete_range": {"key": b("d")}}]},
    ),
    ("kv/txn", {"success": [{"request_delete_range": {"key": b("none")}}]}),
    ("kv/txn", {"success": [{"request_put": put("", "1")[1]}]}),
    ("kv/txn", {"success": [{"request_put": put("d", "1", lease=77)[1]}]}),
    ("kv/txn", {"success": [{"request_put": put(f"m/{i}", "1")[1]} for i in range(129)]}),
    (
        "kv/txn",
        {
            "success": [
                {"request_put": put("n/1", "outer")[1]},
                {
                    "request_txn": {
                        "compare": [compare("n/1", "VALUE", "EQUAL", value=b("outer"))],
                        "success": [{"request_put": put("n/2", "inner")[1]}, {"request_range": read("n/1")[1]}],
                    }
                },
                {"request_range": read("n/", range_end=end("n/"))[1]},
            ]
        },
    ),
    (
        "kv/txn",
        {
            "success": [
                {"request_put": put("n/1", "outer again")[1]},
                {
                    "request_txn": {
                        "compare": [compare("n/1", "VALUE", "EQUAL", value=b("outer"))],
                        "success": [{"request_put": put("n/2", "inner")[1]}, {"request_range": read("n/1")[1]}],
                    }
                },
                {"request_range": read("n/", range_end=end("n/"))[1]},
            ]
        },
    ),
    ("lease/grant", {"TTL": 300, "ID": 4242}),
    ("lease/grant", {"TTL": 300, "ID": 4242}),
    put("on/lease", "1", lease=4242),
    put("on/lease", "2", ignore_lease=True, prev_kv=True),
    put("on/lease", "2", ignore_lease=True, lease=1),
    read("on/lease"),
    ("lease/timetolive", {"ID": 4242, "keys": True}),
    ("lease/timetolive", {"ID": 4243}),
    ("lease/leases", {}),
    ("lease/keepalive", {"ID": 4242}),
    ("lease/keepalive", {"ID": 4243}),
    ("lease/revoke", {"ID": 4242}),
    ("lease/revoke", {"ID": 4242}),
    read("on/lease"),
    ("kv/compaction", {"revision": 5}),
    ("kv/compaction", {"revision": 4}),
    ("kv/compaction", {"revision": 9999}),
    read("a", revision=4),
    read("a", revision=5),
    ("kv/deleterange", ALL),
    ("kv/range", ALL),
]

WATCHES: list[dict[str, Any]] = [
    {"key": b("w"), "start_revision": 2},
    {"key": b("w"), "start_revision": 1},
    {"key": b("w/"), "range_end": end("w/"), "start_revision": 1, "prev_kv": True},
    {"key": b("w/"), "range_end": end("w/"), "start_revision": 4, "filters": ["NODELETE"]},
    {"key": b("w/"), "range_end": end("w/"), "start_revision": 4, "filters": ["NOPUT"], "watch_id": 7},
    {"key": b("w/1"), "range_end": b("w/3"), "start_revision": 1},
    {**ALL, "start_revision": 3},
    {"key": b("w/"), "range_end": end("w/"), "start_revision": 9},
]
"""Over what ``WATCHED`` did; each is read until the last write is seen or the stream ends."""

WATCHED: list[tuple[str, Any]] = [
    put("w", "1"),
    put("w/1", "1"),
    put("w/2", "1"),
    ("kv/txn", {"success": [{"request_put": put("w/1", "2")[1]}, {"request_put": put("w/3", "1")[1]}]}),
    ("kv/deleterange", {"key": b("w/1"), "range_end": b("w/3")}),
    put("w", "2"),
    put("w/1", "3"),
]
"""Revisions 2 to 8."""
