from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from orchestrator.cli.remote.connection import Connection, Query, decoded, one_line, query_text
from orchestrator.cli.terminal import CommandError
from orchestrator.client.kubeconfig import Access


def test_a_query_leaves_out_what_is_not_said() -> None:
    asked: Query = {"labelSelector": "a=b", "watch": True, "follow": False, "limit": 0, "continue": "", "x": None}
    assert query_text(asked) == "?labelSelector=a%3Db&watch=true&limit=0"
    assert query_text({}) == ""


def test_an_answer_that_is_no_status_becomes_one() -> None:
    assert decoded(b"<html>bad\ngateway</html>", 502)["message"] == "the server answered 502: <html>bad gateway</html>"
    assert decoded(b"", 503)["message"] == "the server answered 503: nothing"
    assert decoded(b'{"a":1}', 200) == {"a": 1}


def test_a_status_is_one_line() -> None:
    assert one_line({"message": "first\n  second"}) == "first second"
    assert one_line({"code": 500, "reason": "Odd"}) == "the server answered 500 Odd"


def test_a_server_that_is_not_there_is_one_line_again_and_again() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port, nobody answers
        taken.bind(("127.0.0.1", 0))
        connection = Connection(Access(server=f"http://127.0.0.1:{taken.getsockname()[1]}"))
        for _ in range(2):
            with pytest.raises(
                CommandError, match=r"cannot reach http://127.0.0.1:.*: connection refused; `podium up`"
            ):
                connection.get("/api")


def test_the_next_server_is_asked_when_one_is_gone() -> None:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"kind": "APIVersions"}')

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        there = f"http://127.0.0.1:{server.server_port}"
        connection = Connection(Access(server="http://127.0.0.1:1", others=("http://127.0.0.1:2", there)))
        assert connection.get("/api") == {"kind": "APIVersions"}
        assert connection.access.server == there
        connection.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_credentials_are_a_token_or_a_password() -> None:
    assert Connection(Access(server="", token="t")).credentials() == {"Authorization": "Bearer t"}
    assert Connection(Access(server="", user="u", password="p")).credentials() == {"Authorization": "Basic dTpw"}
    assert Connection(Access(server="")).credentials() == {}
