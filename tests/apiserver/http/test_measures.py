from __future__ import annotations

from orchestrator.apiserver.http import measures
from orchestrator.apiserver.http.measures import Requests

GET = ("get", "apps", "v1", "deployments", "scale")
LABELS = 'verb="GET",group="apps",version="v1",resource="deployments",subresource="scale"'


def test_requests_are_counted_by_code_and_timed_without_it() -> None:
    requests = Requests()
    for code, seconds in ((200, 0.01), (404, 0.3)):
        requests.observe((*GET, code), seconds)
    lines = list(requests.lines())
    assert f'apiserver_request_total{{{LABELS},code="404"}} 1' in lines
    assert f'apiserver_request_duration_seconds_bucket{{{LABELS},le="0.025"}} 1' in lines
    assert f'apiserver_request_duration_seconds_bucket{{{LABELS},le="+Inf"}} 2' in lines
    assert f"apiserver_request_duration_seconds_sum{{{LABELS}}} 0.310000" in lines


def test_series_without_end_become_one() -> None:
    requests = Requests()
    for number in range(measures.MAX_SERIES + 5):
        requests.observe(("get", "", "v1", f"r{number}", "", 200), 1.0)
    found = [line for line in requests.lines() if line.startswith("apiserver_request_total")]
    assert len(found) == measures.MAX_SERIES + 1
    assert found[-1].endswith(" 5")
