"""The residents once more, in a database and in a Parquet file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write(folder: Path, residents: Sequence[Mapping[str, str]]) -> None:
    """``city.db`` with a table ``people``, a view ``men`` and a table whose telephone numbers are of floating point;
    ``people.parquet`` with one column too many, which is a list."""
    names = list(residents[0])
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    with closing(sqlite3.connect(folder / "city.db")) as city:
        city.execute(f"CREATE TABLE people ({columns})")
        city.executemany(f"INSERT INTO people VALUES ({marks})", [list(one.values()) for one in residents])  # noqa: S608 - names of ours
        city.execute("CREATE VIEW men AS SELECT * FROM people WHERE sex = 'male'")
        city.execute('CREATE TABLE numbers AS SELECT "id-number", 13912345678.0 AS phone FROM people')
        city.commit()
    table = {name: [one[name] for one in residents] for name in names}
    pq.write_table(pa.table({**table, "tags": [["a"]] * len(residents)}), folder / "people.parquet")
