"""Directories of provisioned volumes, as the composition root removes them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from actors import LoopClock
from orchestrator.config import ClusterConfig
from orchestrator.nodes import NodeFactory


def factory(folder: Path, runtime: str = "process") -> NodeFactory:
    return NodeFactory(ClusterConfig(data_dir=folder, runtime=runtime), LoopClock(), random.Random(1))


@pytest.mark.real_loop
async def test_a_claims_directory_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    nodes = factory(tmp_path)
    folder = nodes.claims_folder / "default-data-pvc-1"
    (folder / "below").mkdir(parents=True)
    assert nodes.remove_claim is not None
    await nodes.remove_claim(str(folder))
    assert list(nodes.claims_folder.iterdir()) == []
    await nodes.remove_claim(str(folder))


@pytest.mark.parametrize("place", ["elsewhere", "claims/..", "claims/one/two", "claims"])
async def test_nothing_but_a_claims_directory_is_removed(tmp_path: Path, place: str) -> None:
    nodes = factory(tmp_path)
    (nodes.claims_folder / "one" / "two").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    assert nodes.remove_claim is not None
    with pytest.raises(OSError, match="expected a directory in"):
        await nodes.remove_claim(f"{tmp_path}/{place}")
    assert (nodes.claims_folder / "one" / "two").is_dir()
    assert (tmp_path / "elsewhere").is_dir()


async def test_simulated_nodes_remove_nothing(tmp_path: Path) -> None:
    assert factory(tmp_path, "simulated").remove_claim is None
