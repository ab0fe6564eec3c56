"""What a file may hold, and the clear outcome that each has."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import sample

from strongroom.catalog import mapping
from strongroom.catalog.mapping import FieldMap, Part
from strongroom.custody.intake import datafile, header, rows
from strongroom.custody.intake.rows import MAX_ROW, Broken, Chunk, Splitter
from strongroom.custody.intake.values import Layout, Parser, Values
from strongroom.errors import CatalogError, InputError

HOLDING = sample.holding()
ID = "190101199003074412"  # a region that is none
ROW = f"{ID},王小明,1990-03-07,female,13912345678,长安街1号"
HEADER = "id-number,name,born,sex,phone,address"


class Make(Protocol):
    def __call__(self, content: bytes, name: str = ...) -> Path: ...


@pytest.fixture
def made(tmp_path: Path) -> Make:
    def make(content: bytes, name: str = "people.csv") -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return make


def parse(
    path: Path, *, encoding: str = "", delimiter: str = "", given: FieldMap | None = None, key: str = ""
) -> Values:
    """All chunks of a file, which is expected to be one."""
    data = datafile.read(path, None, encoding)
    head = header.read(data, header.wanted_columns(given) or set(HOLDING.fields), delimiter)
    found = header.field_map(data, head, given, HOLDING)
    parser = Parser(Layout(HOLDING, found, head.columns, head.delimiter, data.encoding, key))
    with data.open() as file:
        file.seek(head.end)
        (chunk,) = rows.chunks(file, head.delimiter.encode(), 2 if data.format == "csv" else 1)
    return parser.parse(chunk)


def reasons(values: Values) -> list[tuple[int, str, str]]:
    return [(error.row, error.field, error.reason) for error in values.errors]


# --- which text it is ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", ""), ("utf-8-sig", ""), ("utf-8", "UTF8"), ("gb18030", "gb18030"), ("gbk", "GBK")]
)
def test_encodings_give_the_same_values(made: Make, encoding: str, told: str) -> None:
    values = parse(made(f"{HEADER}\n{ROW}\n".encode(encoding)), encoding=told)
    assert values.columns["name"] == ["王小明"]
    assert values.columns["address"] == ["长安街1号"]


def test_a_gb18030_byte_order_mark_is_none_of_the_header(made: Make) -> None:
    values = parse(made(f"\ufeff{HEADER}\n{ROW}\n".encode("gb18030")), encoding="gb18030")
    assert values.columns["name"] == ["王小明"]


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (
            f"{HEADER}\n{ROW}\n{ROW}\n".encode("gb18030"),
            "",
            "byte 58, line 2. It may be GB18030; if so: --encoding gb18030",
        ),
        (f"{HEADER}\n{ROW}\n".encode() + b"caf\xe9\n", "", "line 3. Give its encoding"),
        (f"{HEADER}\n{ROW}\n".encode(), "gb18030", "line 2. It may be UTF-8; if so: --encoding utf-8"),
        (f"{HEADER}\n王小\n".encode(), "gb18030", "is UTF-8 throughout; read as gb18030 it would be garbled"),
        (f"{HEADER}\n{ROW}\n".encode(), "latin", "not an encoding that is read here"),
        (f"{HEADER}\n{ROW}\n".encode("utf-16"), "", "is UTF-16: save it as UTF-8"),
        (f"{HEADER}\n{ROW}\n".encode("utf-16-le"), "", "is no text, or UTF-16"),
        (b"PK\x03\x04rest", "", "is a workbook or an archive: save the sheet as CSV"),
        (b"\x1f\x8brest", "", "is compressed: unpack it first"),
        (b" \n\n", "", "is empty"),
    ],
)
def test_what_is_no_such_text_is_refused_with_the_mend(made: Make, content: bytes, encoding: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        datafile.read(made(content), None, encoding)
    assert "王" not in str(refused.value)
    assert ID not in str(refused.value)


def test_an_encoding_is_checked_across_blocks(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafile, "_BLOCK", 7)
    for encoding in ("utf-8", "gb18030", "big5"):
        text = f"{HEADER}\n{ROW}\n".replace("长", "長").replace("号", "號")
        data = datafile.read(made(text.encode(encoding)), None, "" if encoding == "utf-8" else encoding)
        assert data.lines == 3
    broken = f"{HEADER}\n{ROW}\n".encode() + b"\xff\n"
    with pytest.raises(InputError, match=f"byte {len(broken) - 1}, line 3"):
        datafile.read(made(broken))


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        datafile.read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="not a regular file"):
        datafile.read(tmp_path)


def test_a_file_that_grows_meanwhile_is_refused(made: Make) -> None:
    path = made(f"{HEADER}\n{ROW}\n".encode())
    data = datafile.read(path)
    path.write_bytes(f"{HEADER}\n{ROW}\n{ROW}\n".encode())
    with pytest.raises(InputError, match="changed while it was read"), data.open():
        pass


# --- which columns it has --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(made: Make, delimiter: str) -> None:
    path = made(f"{HEADER}\n{ROW}\n".replace(",", delimiter).encode())
    assert parse(path).count == 1
    assert parse(path, delimiter=delimiter).count == 1


def test_the_delimiter_is_the_one_that_parts_known_names(made: Make) -> None:
    path = made(f"id-number;name;Wohnort, Straße, Haus, Stock, Tür\n{ID};Anna;a, b, c, d, e\n".encode())
    assert parse(path).columns["name"] == ["Anna"]


def test_header_names_may_differ_in_case_and_spaces(made: Make) -> None:
    values = parse(made(f"ID_Number, Name , born\n{ID}, Anna , 1990-03-07\n".encode()))
    assert values.columns["name"] == ["Anna"]
    assert values.columns["phone"] == [None]


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (f"{HEADER},\n", "column 7 of the header has no name"),
        ("id-number,name,name\n", "columns 2 and 3 of the header have one name"),
        ('id-number,"name\n', "the header cannot be read"),
        ("\n", "the header cannot be read"),
    ],
)
def test_a_header_that_is_wrong_is_refused(made: Make, first: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse(made(f"{first}{ROW}\n".encode()))


def test_a_missing_header_is_said_without_quoting_the_person_in_its_place(made: Make) -> None:
    path = made(f"{ROW}\n{ROW}\n".replace("female", "name").encode())
    given = FieldMap(
        {"id-number": Part(("id",), " ", "", "map.yaml:1"), "name": Part(("nama",), " ", "", "map.yaml:2")}, "map"
    )
    for each in (None, given, FieldMap({"id-number": Part((ID[:-1],), " ", "", "map.yaml:1")}, "map")):
        with pytest.raises((InputError, CatalogError)) as refused:
            parse(path, given=each)
        assert "王" not in str(refused.value)
        assert ID not in str(refused.value)


def test_a_map_joins_columns_and_gives_constants(made: Make) -> None:
    text = b"id-number: number\nname: [given, family]\nsex: {constant: other}\n"
    given = mapping.load(text, "map.yaml", HOLDING)
    values = parse(made(f"number,given,family,more\n{ID},Anna,Li,x\n".encode()), given=given)
    assert (values.columns["name"], values.columns["sex"]) == (["Anna Li"], ["other"])


# --- rows ------------------------------------------------------------------------------------------------------------
def test_rows_that_do_not_fit_are_bad_and_the_others_are_taken(made: Make) -> None:
    lines = [
        HEADER,                              # row 1
        ROW,
        "too,few",                           # 3
        f"{ROW},many",                       # 4
        "",                                  # 5: blank, but counted as spreadsheets do
        ",,,,,",                             # 6
        ROW.replace("王小明", '"王\n小明"'),     # 7: one row on two lines
        ROW.replace("王小明", "王\0小明"),      # 8
        ROW.replace("王小明", '"王"小明"'),     # 9
        ROW.replace("王小明", '"王小明'),       # 10: opened, never closed
        ROW,
        ROW[: ROW.index("1990-")],           # 12: the end of the file, in the middle of it
    ]  # fmt: skip
    values = parse(made("\n".join(lines).encode()))
    assert values.count == 3
    assert values.columns["name"] == ["王小明", "王 小明", "王小明"]
    assert reasons(values) == [
        (3, "", "has 2 columns where the header has 6"),
        (4, "", "has 7 columns where the header has 6"),
        (6, "", "is empty"),
        (8, "name", "has a control, direction or undecodable character"),
        (9, "", "a quote is opened in it and not closed properly"),
        (10, "", "a quote is opened in it and not closed properly"),
        (12, "", "has 3 columns where the header has 6; the file ends in it"),
    ]
    assert (values.bad, len(values.errors)) == (7, 7)


def test_a_file_cut_within_a_character_has_a_bad_last_row(made: Make) -> None:
    for encoding in ("utf-8", "gb18030"):
        content = f"{HEADER}\n{ROW}\n{ROW[:-2]}".encode(encoding)[:-1]
        values = parse(made(content), encoding="gb18030" if encoding == "gb18030" else "")
        assert values.count == 1
        assert reasons(values) == [(3, "address", "has a control, direction or undecodable character")]


@pytest.mark.parametrize(
    "huge",
    [
        "x" * (10 << 20),
        '"' + "x" * (10 << 20) + '"',
        '"' + "line\n" * (2 << 20) + '"',
        '"' + 'a""b,\n' * (1 << 19) + '"',
    ],
)
def test_a_field_of_10_mb_costs_its_row_alone(made: Make, huge: str) -> None:
    values = parse(made("\n".join([HEADER, ROW, ROW.replace("王小明", huge), ROW, ""]).encode()))
    assert values.count == 2
    assert reasons(values) == [(3, "", "is longer than 1 MiB")]


def test_a_large_field_within_the_limit_is_the_fields_to_refuse(made: Make) -> None:
    values = parse(made("\n".join([HEADER, ROW.replace("王小明", '"' + "x\n" * 200_000 + '"'), ROW]).encode()))
    assert values.count == 1
    assert reasons(values) == [(2, "name", "is longer than 64 bytes")]


def test_a_quote_left_open_before_megabytes_of_rows_costs_its_row_alone(made: Make) -> None:
    count = 2 * MAX_ROW // len(ROW.encode())
    lines = [HEADER, ROW.replace("王小明", '"王小明'), *[ROW] * count]
    data = datafile.read(made("\n".join(lines).encode()))
    with data.open() as file:
        found = list(Splitter(file, b","))
    assert len(found) == count + 2
    assert [at for at, row in enumerate(found) if isinstance(row, Broken)] == [1]


def test_json_lines_take_scalars_alone(made: Make) -> None:
    def line(**more: object) -> str:
        return json.dumps({"id-number": ID, "name": "Anna", **more}, ensure_ascii=False)

    lines = [
        line(phone=13912345678, more="ignored"),
        "",
        line(name=["Anna"]),
        line(name={"first": "Anna"}),
        '{"id-number": 1, "id-number": 2}',
        "[1]",
        "{",
        "[" * 100_000,
        '{"id-number": NaN}',
        "{}",
        line(name=None),
        f'{{"id-number": "{ID}", "name": "\\ud800"}}',
        line(name="x" * (2 * MAX_ROW)),
        line(name=True)[:-3],
    ]
    values = parse(made("\n".join(lines).encode(), "people.jsonl"))
    assert values.columns["phone"] == ["+8613912345678", None]
    assert values.columns["name"] == ["Anna", None]
    scalars = "has a member that is an object or a list; only text, numbers, true, false and null are taken"
    assert reasons(values) == [
        (3, "", scalars),
        (4, "", scalars),
        (5, "", "has a member twice"),
        (6, "", "is not a JSON object"),
        (7, "", "is not JSON: each line wants one object"),
        (8, "", "is not JSON: each line wants one object"),
        (9, "", "has a number that is none"),
        (10, "", "is empty"),
        (12, "name", "has a control, direction or undecodable character"),
        (13, "", "is longer than 1 MiB"),
        (14, "", "is not JSON: each line wants one object"),
    ]


# --- cutting ---------------------------------------------------------------------------------------------------------
def cut(content: bytes) -> list[bytes | Broken]:
    return list(Splitter(io.BytesIO(content), b","))


@given(st.text(alphabet='ab,"\n\r 王', max_size=40))
def test_rows_are_cut_where_csv_reads_them(text: str) -> None:
    """Whatever is cut without a broken row, csv reads the same from the pieces as from the whole."""
    pieces = cut(text.encode())
    broken = [piece for piece in pieces if isinstance(piece, Broken)]
    try:
        whole = list(csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True))
    except csv.Error:
        assert broken
        return
    assert not broken
    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == text.encode()
    read = [next(csv.reader([piece.decode()], strict=True, skipinitialspace=True)) for piece in pieces]  # type: ignore[union-attr]
    assert read == whole


@given(st.lists(st.text(alphabet='ab,"\n\r 王', min_size=1, max_size=6), min_size=1, max_size=30), st.integers(1, 9))
def test_rows_written_by_csv_come_back_whatever_the_blocks(values: list[str], width: int) -> None:
    table = [values[at : at + width] for at in range(0, len(values), width)]
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(table)
    before = rows._BLOCK
    rows._BLOCK = 3
    try:
        pieces = cut(out.getvalue().encode())
    finally:
        rows._BLOCK = before
    assert [next(csv.reader([piece.decode()], strict=True)) for piece in pieces if isinstance(piece, bytes)] == table


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_cutting_and_none_are_lost(content: bytes) -> None:
    pieces = cut(content)
    assert pieces or not content
    if not any(isinstance(piece, Broken) for piece in pieces):
        assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == content


def test_chunks_follow_from_the_content_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 3)
    monkeypatch.setattr(rows, "MAX_BYTES", 10)
    content = b"a\nb\nc\nd\n123456789\ne\n"

    def all_() -> list[Chunk]:
        return list(rows.chunks(io.BytesIO(content), b",", 2))

    found = all_()
    assert [(chunk.number, chunk.first, len(chunk.records), chunk.end) for chunk in found] == [
        (0, 2, 3, 6), (1, 5, 2, 18), (2, 7, 1, 20)
    ]  # fmt: skip
    monkeypatch.setattr(rows, "_BLOCK", 1)
    assert all_() == found
