"""``podium store serve``: what its words mean."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from orchestrator.cli.store import serve
from orchestrator.cli.terminal import CommandError
from orchestrator.membership import store_name, tls

THREE = "1=10.0.0.1:2380,2=10.0.0.2:2380,3=10.0.0.3:2380"


def options(folder: Path, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    serve.arguments(parser)
    parsed = parser.parse_args(words)
    parsed.data_dir = folder
    return parsed


def test_alone_it_needs_no_keys(tmp_path: Path) -> None:
    config = serve.configured(options(tmp_path))
    assert (config.member, config.members, store_name(config)) == (0, {}, "local")
    assert not (tmp_path / "pki").exists()


def test_members_have_keys_of_one_authority(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    for number in (1, 2):
        data = tmp_path / str(number)
        words = ("--member", str(number), "--members", THREE, "--authority", str(keys))
        config = serve.configured(options(data, *words))
        assert config.members[3] == "tcp://10.0.0.3:2380"
        assert store_name(config) == f"member-{number}"
        assert tls(data / "pki", number).context(server=True)
        assert (data / "pki" / "ca.crt").read_bytes() == (keys / "ca.crt").read_bytes()
        assert not (data / "pki" / "ca.key").exists()


def test_a_member_that_has_its_keys_needs_no_authority(tmp_path: Path) -> None:
    words = ("--member", "1", "--members", THREE)
    serve.configured(options(tmp_path, *words, "--authority", str(tmp_path / "keys")))
    before = sorted(path.name for path in (tmp_path / "pki").iterdir())
    serve.configured(options(tmp_path, *words))
    assert sorted(path.name for path in (tmp_path / "pki").iterdir()) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--member", "4", "--members", THREE], "expected them to name member 4"),
        (["--members", THREE], "expected them to name member 0"),
        (["--member", "1", "--members", "one=10.0.0.1:2380"], "expected NUMBER=HOST:PORT"),
        (["--member", "1", "--members", "1=10.0.0.1"], "expected NUMBER=HOST:PORT, found '1=10.0.0.1'"),
    ],
)
def test_what_makes_no_group_is_refused_in_a_line(tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said) as refused:
        serve.run(options(tmp_path, *words))
    assert refused.value.code == 2
