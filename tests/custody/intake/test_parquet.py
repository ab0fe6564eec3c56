"""Parquet files: what their columns become, and what is refused."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.catalog import sample
from tests.custody.intake.taken import IDS, replace_fields, take, with_text

from strongroom.custody.intake import rows, source
from strongroom.custody.intake.source import Source
from strongroom.errors import CatalogError, InputError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def written(path: Path, columns: dict[str, Any], **more: Any) -> Path:
    pq.write_table(pa.table(columns), path, **more)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people.parquet"


def people(**more: Any) -> dict[str, Any]:
    return {"ID_Number": list(IDS), "name": ["王小明", None, 'O\'Neil, "Jo"\nAnn'], **more}


def test_columns_go_where_their_names_say(path: Path) -> None:
    found = take(written(path, people(born=[date(1990, 3, 7), None, date(2001, 12, 31)], other=[1, 2, 3])))
    assert found.columns["id-number"] == list(IDS)
    assert found.columns["name"] == ["王小明", None, 'O\'Neil, "Jo" Ann']
    assert found.columns["born"] == ["1990-03-07", None, "2001-12-31"]
    assert (found.bad, found.rows, found.order) == ([], 3, "as they stand in the file")


def test_a_map_names_columns_and_only_they_are_read(path: Path) -> None:
    columns = {
        "Ausweis Nr.": list(IDS),
        "Vor.Name": ["A", "B", "C"],
        "nested": [[1], [2], [3]],
        "first\nlast": list("xyz"),
    }
    found = take(written(path, columns), 'id-number: "Ausweis Nr."\nname: ["Vor.Name", "first\\nlast"]\n')
    assert found.columns["name"] == ["A x", "B y", "C z"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array(["x", None, " a\r\nb "]), ["x", None, "a b"]),
        (pa.array(["x", "", "é"], pa.large_string()), ["x", None, "é"]),
        (pa.array(["x", "y", None], pa.string_view()), ["x", "y", None]),
        (pa.array(["x", "x", None]).dictionary_encode(), ["x", "x", None]),
        (pa.array([7, -1, None], pa.int8()), ["7", "-1", None]),
        (pa.array([2**64 - 1, 0, None], pa.uint64()), ["18446744073709551615", "0", None]),
        (pa.array([5, 6, 5]).dictionary_encode(), ["5", "6", "5"]),
        (pa.array([Decimal("1.50"), Decimal("0.0000000012"), None], pa.decimal128(20, 10)),
         ["1.5000000000", "0.0000000012", None]),
        (pa.array([Decimal(10**49 + 1), None, Decimal(0)], pa.decimal256(50, 0)),
         ["1" + "0" * 48 + "1", None, "0"]),
        (pa.array([0.1, 3.0, None], pa.float32()), ["0.1", "3", None]),
        (pa.array([0.1, -1e300, None]), ["0.1", "-1e+300", None]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([date(1990, 3, 7), None, date(1, 1, 1)], pa.date64()), ["1990-03-07", None, "0001-01-01"]),
        (pa.array([0, 10**9 + 5000, None], pa.timestamp("ns")),
         ["1970-01-01 00:00:00", "1970-01-01 00:00:01.000005", None]),
        (pa.array([datetime(2020, 1, 1, 12, tzinfo=ZoneInfo("Asia/Shanghai")), None, None],
                  pa.timestamp("ms", tz="Asia/Shanghai")), ["2020-01-01 12:00:00+0800", None, None]),
        (pa.array([1_500_000, 0, None], pa.time64("us")), ["00:00:01.5", "00:00:00", None]),
        (pa.array([b"\0\xff", b"", None]), ["AP8=", None, None]),
        (pa.array([b"abc", b"\xff\xff\xff", None], pa.binary(3)), ["YWJj", "////", None]),
        (pa.array([b"x" * 16] * 3, pa.uuid()), ["78787878-7878-7878-7878-787878787878"] * 3),
        (pa.nulls(3), [None] * 3),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)  # fmt: skip
def test_values_become_the_text_that_csv_would_have(path: Path, values: Any, texts: list[str | None]) -> None:
    found = take(written(path, {"id": ["a", "b", "c"], "text": values}), holding=with_text())
    assert (found.columns["text"], found.bad) == (texts, [])


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1], [2], [3]]),
        pa.array([{"a": 1}] * 3),
        pa.array([[("k", 1)]] * 3, pa.map_(pa.string(), pa.int64())),
        pa.array([1, 2, 3], pa.duration("s")),
        pa.array(['{"a": 1}'] * 3, pa.json_()),
    ],
    ids=lambda value: str(value.type),
)
def test_what_is_no_single_value_is_refused_by_its_name(path: Path, values: Any) -> None:
    written(path, {"id": ["a", "b", "c"], "text": values})
    with pytest.raises(InputError, match=r"text wants the column text, which is .*A field takes one value"):
        take(path, holding=with_text())
    assert take(path, "id: id", holding=with_text()).rows == 3


def test_an_identifier_is_never_a_floating_point_number(path: Path) -> None:
    written(path, people(phone=[13912345678.0, None, None]))
    with pytest.raises(InputError, match=r"phone wants the column phone, .*floating-point numbers \(double\)"):
        take(path)
    written(path, people(phone=[13912345678, None, None]))
    assert take(path).columns["phone"] == ["+8613912345678", None, None]


def test_a_timestamp_at_midnight_is_a_day_and_any_other_is_none(path: Path) -> None:
    written(path, people(born=[datetime(1990, 3, 7), None, datetime(1990, 3, 7, 1)]))  # noqa: DTZ001 - has no zone
    found = take(path)
    assert found.columns["born"] == ["1990-03-07", None]
    assert found.bad == [(3, "born", "want a date as YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD")]
    written(path, people(born=pa.array([0, 1, 2], pa.timestamp("s", tz="UTC"))))
    with pytest.raises(InputError, match="which day it is depends on the zone"):
        take(path)


def test_values_that_are_none_cost_their_row(path: Path) -> None:
    broken = pa.StringArray.from_buffers(
        3, pa.py_buffer(b"\0\0\0\0\1\0\0\0\3\0\0\0\4\0\0\0"), pa.py_buffer(b"a\xff\xfeb")
    )
    found = take(written(path, {"id": ["a", "b", "c"], "text": broken}), holding=with_text())
    assert found.columns["text"] == ["a", "b"]
    assert found.bad == [(2, "text", "has a control, direction or undecodable character")]
    found = take(written(path, {"id": ["a", "b", None], "text": pa.array([0, 99_999_999, 0], pa.date32())}),
                 holding=with_text())  # fmt: skip
    assert [line[:2] for line in found.bad] == [(2, "text")]
    found = take(written(path, {"id": ["a", "b" * (1 << 20), None], "text": ["x", "y", None]}), holding=with_text())
    assert found.bad == [(2, "", "is longer than 1 MiB"), (3, "", "is empty")]


def test_one_column_alone_loses_no_row(path: Path) -> None:
    holding = replace_fields(text=sample.field("text", identifier="primary"))
    found = take(written(path, {"text": ["a", None, "c"]}), holding=holding)
    assert (found.columns["text"], found.bad, found.rows) == (["a", "c"], [(2, "", "is empty")], 3)


def test_no_rows_and_row_groups_without_rows(path: Path) -> None:
    empty = pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())})
    assert take(written(path, {"id": pa.array([], pa.string())}), holding=with_text()).rows == 0
    with pq.ParquetWriter(path, empty.schema) as writer:
        for table in (empty, pa.table({"id": ["a"], "text": ["b"]}), empty):
            writer.write_table(table)
    assert take(path, holding=with_text()).columns == {"id": ["a"], "text": ["b"]}


def test_columns_that_cannot_be_told_apart_or_are_not_there(path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 3, ["id", "x", "x"]), path)
    with pytest.raises(CatalogError, match=r"text wants the column x, which people.parquet has 2 times"):
        take(path, "id: id\ntext: x", holding=with_text())
    with pytest.raises(CatalogError, match=r"map.yaml:2: text wants the column idd, .* 0 times. Did you mean id"):
        take(path, "id: id\ntext: idd", holding=with_text())
    with pytest.raises(CatalogError, match=r"people.parquet: no column is called like a field"):
        take(written(path, {"a": [1]}))
    with pytest.raises(InputError, match="the map names no column of it"):
        take(path, "id: {constant: x}", holding=with_text())


def test_what_is_damaged_or_no_parquet_is_said_before_anything_is_taken(path: Path) -> None:
    whole = written(
        path, people(), compression="none", use_dictionary=False, write_statistics=False, write_page_checksum=True
    ).read_bytes()
    damage = {
        "cut off": whole[:-20],
        "cut in the middle": whole[: len(whole) // 2],
        "a page changed": whole.replace("王".encode(), b"???", 1),
        "a footer changed": whole[:-200] + bytes(192) + whole[-8:],
        "its magic alone": b"PAR1",
    }
    for name, content in damage.items():
        path.write_bytes(content)
        with pytest.raises(
            InputError, match="cannot be read as Parquet: it is damaged, cut off, or encrypted"
        ) as refused:
            take(path)
        assert "王" not in str(refused.value), name
    path.write_bytes(b"")
    for format in ("parquet", None):
        with pytest.raises(InputError, match="is empty"):
            take(path, format=format)
    path.write_bytes(whole)
    with pytest.raises(InputError, match="--table is for databases"):
        take(path, table="people")
    with pytest.raises(InputError, match="an encoding and a delimiter are for CSV"):
        take(path, encoding="gb18030")


def test_chunks_are_the_same_each_time_and_whatever_the_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 7)
    columns = {"id": [str(at) for at in range(50)], "text": ["x" * at for at in range(50)]}
    one, other = (tmp_path / name for name in ("one.parquet", "other.parquet"))
    found = [take(written(one, columns), holding=with_text()), take(one, holding=with_text())]
    found.append(take(written(other, columns, row_group_size=3), holding=with_text()))
    assert found[0].chunks == found[1].chunks == found[2].chunks
    assert found[0].digest == found[1].digest != found[2].digest
    assert [len(chunk.records) for chunk in found[0].chunks] == [7] * 7 + [1]


def test_memory_stays_flat(path: Path) -> None:
    """One row group is read in pieces: Arrow holds a part of it at a time."""
    long = [f"{at:x<1000}" for at in range(40_000)]
    written(path, {"id": long, "text": long}, compression="none", use_dictionary=False, row_group_size=1 << 20)
    before, most, size = pa.total_allocated_bytes(), 0, path.stat().st_size
    with source.records(Source(path), replace_fields(text=sample.field("text", identifier="primary"))) as records:
        for chunk in records.chunks():
            most = max(most, pa.total_allocated_bytes() - before)
            assert len(chunk.records) <= 10_000
    assert size > 64 << 20
    assert most < 32 << 20
