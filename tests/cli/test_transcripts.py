"""Sessions of commands and what they print, word for word. ``STRONGROOM_ACCEPT=1 pytest tests/cli`` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.cli.session import Session

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


def test_there_are_transcripts() -> None:
    assert len(FILES) >= 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_transcript(path: Path, session: Session) -> None:
    wanted = path.read_text(encoding="utf-8")
    played = session.play(wanted)
    if os.environ.get("STRONGROOM_ACCEPT"):
        path.write_text(played, encoding="utf-8")
    assert played == wanted
