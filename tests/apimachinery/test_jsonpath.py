from __future__ import annotations

import pytest

from orchestrator.apimachinery.jsonpath import PathError, find, render

PODS = {
    "kind": "List",
    "items": [
        {"metadata": {"name": "a", "labels": {"x.io/y": "1"}}, "status": {"phase": "Running", "n": 1}},
        {"metadata": {"name": "b"}, "status": {"phase": "Pending", "n": 5}},
    ],
}


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{.kind}", "List"),
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.name}", "a"),
        ("{.items[-1].metadata.name}", "b"),
        ("{.items[0:1].metadata.name}", "a"),
        ("{.items[0,1].status.n}", "1 5"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}', "a\tRunning\nb\tPending\n"),
        ('{.items[?(@.status.phase=="Pending")].metadata.name}', "b"),
        ("{.items[?(@.status.n>2)].metadata.name}", "b"),
        ("{.items[?(@.metadata.labels)].metadata.name}", "a"),
        ("{.items[0].metadata.labels.x\\.io/y}", "1"),
        ("{.items[0]['metadata']['name']}", "a"),
        ("{..name}", "a b"),
        ("{.items[0].metadata.labels}", '{"x.io/y":"1"}'),
        ("name={.items[1].metadata.name}!", "name=b!"),
        ("{.nothing.at.all}", ""),
        ("{$.kind}", "List"),
    ],
)
def test_a_template_says_what_kubectl_says(template: str, said: str) -> None:
    assert render(template, PODS) == said


@pytest.mark.parametrize(
    "template", ["{.items[}", "{range .items[*]}x", "{end}", "{.items[a b]}", "{.a", '{.items[?(@.a=="b)]}', "{.a b}"]
)
def test_a_template_that_cannot_be_read_is_said_in_one_line(template: str) -> None:
    with pytest.raises(PathError, match=r"^jsonpath: "):
        render(template, PODS)


@pytest.mark.parametrize("path", [".kind", "kind", "{.kind}", "{$.kind}"])
def test_a_path_may_be_written_with_or_without_braces_and_dot(path: str) -> None:
    assert find(path, PODS) == ["List"]
