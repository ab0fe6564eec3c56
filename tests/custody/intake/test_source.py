"""Which kind a source is, and that no other command waits for what one kind needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.custody.intake.taken import HOLDING, ID, take

from strongroom.custody.intake import source
from strongroom.custody.intake.place import Address
from strongroom.custody.intake.source import Source
from strongroom.errors import InputError


def test_what_a_file_is_stands_in_it_and_not_in_its_name(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "people.csv"
    pq.write_table(pa.table({"id-number": [ID]}), path)
    assert take(path).order == "as they stand in the file"
    path = tmp_path / "people.parquet"
    path.write_text(f"id-number\n{ID}\n")
    assert take(path).columns["id-number"] == [ID]
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        take(path, format="parquet")


@pytest.mark.parametrize(("format", "package"), [("parquet", "pyarrow"), ("postgresql", "psycopg")])
def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, package: str) -> None:
    path = tmp_path / "people.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.delitem(sys.modules, f"strongroom.custody.intake.{format}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    chosen = Source(Address("postgresql://"), table="t") if format == "postgresql" else Source(path)
    with pytest.raises(InputError, match=rf"read with {package}, .* pip install 'strongroom\[{format}\]'"):
        source.records(chosen, HOLDING)


def test_nothing_else_waits_for_them() -> None:
    program = "import sys, strongroom.cli.intake; print(*{'pyarrow', 'psycopg'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
