"""Definitions as kinds: what is served, what rules they have, how they are printed."""

from __future__ import annotations

from orchestrator.api.custom.catalog import Catalog
from orchestrator.api.custom.definition import resources_of
from orchestrator.api.schema import schema
from tests.api.custom.definitions import crontab, definition

GROUP = "stable.example.com"


def catalog() -> Catalog:
    made = Catalog(schema())
    made.put(definition())
    return made


def test_served_versions_are_there_and_others_are_not() -> None:
    made = catalog()
    assert [made.resource(GROUP, version, "crontabs") is not None for version in ("v1", "v1beta1", "v1alpha1")] == [
        True,
        True,
        False,
    ]
    assert made.has_type(GROUP, "v1", "CronTab")
    assert "crontabs" in [each.plural for each in made.served]


def test_a_definition_that_is_not_established_serves_nothing() -> None:
    made = catalog()
    before = made.generation
    made.put(definition(established=False))
    assert made.resource(GROUP, "v1", "crontabs") is None
    assert made.generation != before


def test_built_in_kinds_are_found_as_before() -> None:
    made = catalog()
    assert made.resource("", "v1", "pods") is schema().resource("", "v1", "pods")
    assert made.type("apps", "v1", "Deployment") is schema().type("apps", "v1", "Deployment")


def test_a_copy_follows_by_generation() -> None:
    made, copy = catalog(), Catalog(schema())
    copy.replace(made.definitions(), made.generation)
    assert copy.generation == made.generation
    assert copy.resource(GROUP, "v1", "crontabs") == made.resource(GROUP, "v1", "crontabs")


def test_subresources_are_those_of_the_version() -> None:
    first, second = resources_of(definition())
    assert set(first.subresources) == {"status", "scale"}
    assert not second.subresources


def test_defaults_are_set_and_the_whole_is_validated() -> None:
    [resource, _] = resources_of(definition())
    assert resource.custom is not None
    its, obj = resource.custom.rules, crontab()
    its.default(obj)
    assert obj["spec"] == {"cronSpec": "* * * * */5", "image": "nginx", "replicas": 1, "minReplicas": 0}
    assert its.validate(obj) == []
    obj["spec"] |= {"replicas": 20, "mode": "Odd"}
    assert [str(each) for each in its.validate(obj)] == [
        "spec.replicas: Invalid value: 20: spec.replicas in body should be less than or equal to 10",
        'spec.mode: Unsupported value: "Odd": supported values: "Fast", "Slow"',
    ]


def test_an_update_is_held_against_what_stood() -> None:
    [resource, _] = resources_of(definition())
    assert resource.custom is not None
    its = resource.custom.rules
    old, new = crontab(replicas=1, minReplicas=0), crontab(replicas=1, minReplicas=2, cronSpec="1 1 1 1 1")
    for obj in (old, new):
        obj["metadata"] |= {"uid": "1", "resourceVersion": "1"}
    assert [each.detail for each in its.validate_update(new, old)] == ["too few", "cronSpec is immutable"]


def test_the_generation_counts_the_desired_state() -> None:
    [resource, _] = resources_of(definition())
    assert resource.custom is not None
    old = crontab() | {"status": {"replicas": 1}}
    new = {**old, "status": {"replicas": 2}, "metadata": {**old["metadata"]}}
    old["metadata"]["generation"] = new["metadata"]["generation"] = 4
    resource.custom.rules.prepare_update(new, old)
    assert (new["status"], new["metadata"]["generation"]) == ({"replicas": 1}, 4)
    new["spec"] = {**old["spec"], "replicas": 2}
    resource.custom.rules.prepare_update(new, old)
    assert new["metadata"]["generation"] == 5


def test_columns_are_read_by_their_paths() -> None:
    [resource, _] = resources_of(definition())
    assert resource.custom is not None
    its = resource.custom.rules
    obj = crontab(replicas=3)
    obj["metadata"]["creationTimestamp"] = "2026-11-27T12:00:00Z"
    assert [column.name for column in its.columns] == ["Name", "Spec", "Replicas", "Age"]
    assert its.row(obj, 1795780860.0)[:3] == ["one", "* * * * */5", 3]
    assert its.row(crontab(), 0.0)[2] is None


def test_another_version_differs_by_its_name_alone() -> None:
    [_, beta] = resources_of(definition())
    assert beta.custom is not None
    assert beta.custom.stored.version == "v1"
    read = beta.custom.read(crontab(), "v1beta1")
    assert read["apiVersion"] == "stable.example.com/v1beta1"
    assert read["spec"]["cronSpec"] == "* * * * */5"


def test_selectable_fields_are_texts() -> None:
    [resource, _] = resources_of(definition())
    assert resource.custom is not None
    assert resource.custom.selectable == ("spec.image",)
    assert resource.custom.rules.fields(crontab(image="x"))["spec.image"] == "x"
