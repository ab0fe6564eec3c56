"""Taking people into the drills' room, by the importer itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from strongroom.canonical import encode
from strongroom.custody.intake.importer import Source, import_file
from strongroom.custody.intake.window import Errand

if TYPE_CHECKING:
    from strongroom.drill.stage import Stage


def take_in(
    stage: Stage, holding: str, rows: Sequence[Mapping[str, str]], purpose: str, name: str, seconds: Sequence[str]
) -> None:
    """Seal ``rows`` into ``holding``: the file they come in lies outside of the vault. ``name`` asks, ``seconds`` sign too."""
    path = stage.root / f"{holding}.jsonl"
    path.write_bytes(b"".join(encode(dict(row)) + b"\n" for row in rows))
    others = tuple(stage.key_of(one) for one in seconds)
    errand = Errand(stage.asker(name), purpose, "drill-intake", "taking in the register of this year", others)
    done = import_file(stage.room, Source(path), holding, errand, bad_rows=path.with_suffix(".bad.csv"), workers=1)
    path.unlink()
    assert done.stored == len(rows), "the drills' own people are all taken"
