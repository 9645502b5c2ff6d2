from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.x509 import load_pem_x509_certificate

from orchestrator.membership import system_name
from orchestrator.pki import prepare_member

MEMBERS = 8
START = """
import sys, time
from pathlib import Path
from orchestrator.config import ClusterConfig
from orchestrator.pki import make_aside, prepare

config = ClusterConfig(data_dir=Path(sys.argv[1]), listen=("127.0.0.1", 6443))
make_aside(config, "https://127.0.0.1:6443", time.time())()
made = (config.data_dir / "pki" / "ca.crt").read_text()
pki = prepare(config, "https://127.0.0.1:6443", time.time())
assert pki.ca_certificate == made
print(any(name.startswith("cryptography") for name in sys.modules), len(pki.tokens.jwks()["keys"]))
"""


def test_members_that_start_at_once_have_one_authority(tmp_path: Path) -> None:
    at_once = Barrier(MEMBERS)

    def start(member: int) -> None:
        at_once.wait()
        prepare_member(tmp_path / "authority", tmp_path / f"{member}", member, time.time())

    with ThreadPoolExecutor(MEMBERS) as threads:
        list(threads.map(start, range(1, MEMBERS + 1)))
    authority = (tmp_path / "authority" / "ca.crt").read_bytes()
    issuer = load_pem_x509_certificate(authority)
    for member in range(1, MEMBERS + 1):
        assert (tmp_path / f"{member}" / "ca.crt").read_bytes() == authority
        own = (tmp_path / f"{member}" / f"{system_name(member)}.crt").read_bytes()
        load_pem_x509_certificate(own).verify_directly_issued_by(issuer)


def test_a_key_is_its_owners_alone(tmp_path: Path) -> None:
    prepare_member(tmp_path, tmp_path, 1, time.time())
    assert [path.stat().st_mode & 0o777 for path in sorted(tmp_path.glob("*.key"))] == [0o600, 0o600]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.slow
def test_who_has_the_keys_made_aside_never_loads_what_makes_them(tmp_path: Path) -> None:
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", START, tmp_path], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["False", "1"], done.stderr
