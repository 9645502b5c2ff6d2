from pathlib import Path

import pytest

from tests.scheduler.transcript import FOLDER, retell

FILES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_transcript_is_told_as_it_was(path: Path) -> None:
    assert retell(path.read_text()) == path.read_text()


def test_there_are_transcripts() -> None:
    assert FILES
