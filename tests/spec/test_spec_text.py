"""SPEC.md names what the code has: labels, vectors, tables, members, codes. Whoever adds one, says there what it is."""

from __future__ import annotations

import re
import sqlite3
import typing
from importlib import resources
from pathlib import Path

import msgspec
import pytest

from strongroom.catalog import model, validate
from strongroom.custody import mirror
from strongroom.gate import ask
from strongroom.keyholder import checks, protocol, subjects, witnessing
from strongroom.ledger import entry, life, policy, witnessed
from strongroom.redact import mask
from strongroom.seal import batch, epoch, padding, slot
from strongroom.service.identity import caller
from strongroom.witness import asking, core, request

SPEC = Path("SPEC.md").read_text("utf-8")
SOURCE = {path: path.read_text("utf-8") for path in Path("src/strongroom").rglob("*.py")}


def section(number: str) -> str:
    found = re.search(rf"(?ms)^###? {re.escape(number)}[. ].*?(?=^###? |\Z)", SPEC)
    assert found, number
    return found[0]


def test_every_label_is_there_and_no_other() -> None:
    written = set()
    for text in SOURCE.values():
        written |= set(re.findall(r'label\("([a-z-]+)"\)|strongroom/v1 ([a-z-]+)\\0', text))
    names = {one or other for one, other in written} - {""}
    assert len(names) > 30
    assert names == set(re.findall(r'L\("([a-z-]+)"\)', SPEC))


def test_every_file_of_vectors_has_a_row() -> None:
    files = {path.name for path in Path("vectors").iterdir()}
    assert files == set(re.findall(r"`([a-z-]+\.json)`", section("11")))
    assert files > set(re.findall(r"vectors/([a-z-]+\.json)", SPEC)) != set()


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("strongroom.store", "vault_schema.sql"),
        ("strongroom.keyholder", "schema.sql"),
        ("strongroom.witness", "schema.sql"),
    ],
)
def test_every_table_and_column_is_named(package: str, name: str) -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(resources.files(package).joinpath(name).read_text("utf-8"))
    text = section("9.1")
    for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        assert f"`{table}`" in text
        if table not in ("job_chunks", "job_errors", "jobs"):  # an import's own affair
            assert all(f"`{column}`" in text for _, column, *_ in database.execute(f"PRAGMA table_info({table})"))


def names_of(record: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(record)}


@pytest.mark.parametrize(
    ("number", "records"),
    [
        ("6.2", [model.Charter, model.Holding, model.Compartment, model.Field, model.Purpose, model.PurposeBudgets,
                 model.RoomBudgets, model.KeyholderKeys, model.VaultKeys]),
        ("6.3", [model.RosterLine]),
        ("7.1", [ask.PrivateHalf, ask.Evidence, ask.Queried]),
        ("7.2", list(typing.get_args(ask.Ask))),
        ("7.4", [ask.Countersignature]),
        ("5.4", list(typing.get_args(entry.Entry))),
        ("8.1", [protocol.Disclose, protocol.Erase, protocol.Find, protocol.Intake, protocol.Refusal, protocol.EnterCharter, protocol.Epoch,
                 protocol.Entries, protocol.Budgets]),
        ("8.2", [protocol.SealedAnswer, protocol.Shares, protocol.Token, protocol.Tokens, protocol.Written, protocol.EpochKey,
                 protocol.Tail, protocol.Published, protocol.Status, protocol.Buckets, protocol.Bucket, protocol.Done, protocol.Problem]),
        ("8.7", [protocol.Admit, protocol.Enrol, protocol.Reads, protocol.Chain, protocol.StatedChain, protocol.Statement,
                 protocol.ReadsInner, protocol.SealedReads]),
        ("8.8", [protocol.Operate]),
        ("8.9", [protocol.Supersede, protocol.Aging, protocol.Reseal, protocol.Held, protocol.Certify, protocol.Aged,
                 protocol.Resealed, protocol.HeldProofs, protocol.CertifiedRecord, protocol.Certificate, protocol.Certified]),
        ("8.11", [protocol.Together, protocol.GivenTogether, protocol.PartAnswers, *typing.get_args(protocol.PartAnswer)]),
    ],
)  # fmt: skip
def test_every_member_is_named(number: str, records: list[type[msgspec.Struct]]) -> None:
    text = section(number)
    everywhere = names_of(protocol.FromVault) if number.startswith("8.") and number != "8.1" else set()
    for record in records:
        missing = [name for name in names_of(record) - everywhere if not re.search(rf'[`"]{name}[`"]', text)]
        assert not missing, (record.__name__, missing)


def test_every_path_is_there_and_no_other() -> None:
    said = set(re.findall(r"`(/v1/[a-z/]+)`", "".join(map(section, ("8.1", "8.7", "8.8", "8.9", "8.11")))))
    assert said == set(protocol.REQUESTS)


def test_every_code_of_a_refusal_is_there() -> None:
    parts = [text for path, text in SOURCE.items() if path.parts[2] in ("gate", "keyholder")]
    codes = {code for text in parts for code in re.findall(r'Refused\(\s*"([a-z]+)"', text)}
    assert len(codes) > 20
    said = set(re.findall(r"`([a-z]+)`", section("8.2") + section("8.4") + section("8.6")))
    assert codes <= said


def test_the_expression_for_a_district_is_the_one_in_use() -> None:
    (lines,) = re.findall(r"```\n(.*?)```", section("6.6"), re.DOTALL)
    assert lines.replace("\n", "").replace("H", r"[\u4e00-\u9fff]") == mask._HAN_DISTRICT.pattern


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("3.1", f"floored to the first day of that month when R ≥ {epoch._MONTHLY_FROM}"),
        ("3.1", "which is written 2^32 - 1" if epoch.NEVER == 2**32 - 1 else ""),
        ("3.2", f"at most {batch.MAX_RECORDS:,} records"),
        ("3.2", f"stays open at most {batch.MAX_SECONDS} s"),
        ("5.4", f"at most {entry.MAX_BYTES:,} bytes, at most {entry.MAX_TAGS:,} tags or marks"),
        ("5.8", f"from its `time` to {life.HOLD_DAYS} days later"),
        ("5.9", f"within {asking.SECONDS:.0f} s, follows no redirect and reads at most {asking.MAX_BYTES:,} bytes"),
        ("5.9", f"at most {witnessing.HOLD_SECONDS:.0f} s; then it is `503`"),
        ("5.9", f"asks every {witnessing.PACE_SECONDS:.0f} s about what is published"),
        ("5.9", f"more than {core.BACK_SECONDS} s behind that"),
        ("5.9", f"more than {witnessed.AHEAD_SECONDS} s ahead of whoever looks"),
        ("5.9", f"A request has at most {request.MAX_BYTES:,} bytes"),
        ("5.9", f"at most {policy.MAX_BYTES:,} bytes"),
        ("6.2", f"`witnesses.policy` has at most {validate.MAX_POLICY:,} bytes"),
        ("6.2", f"a multiple of 64 from 64 to {padding._LARGEST_FLOOR:,}"),
        ("7.2", f"at most {ask.WINDOW_DAYS} days after `time`"),
        ("8.1", f"1 to {protocol.MAX_INNERS:,} together"),
        ("8.1", f"1 to {protocol.MAX_SLOTS:,} slots"),
        ("8.8", f"at most {life.HOLD_DAYS} days ahead"),
        ("8.9", f"1 to {protocol.MAX_RESEALED} of"),
        ("8.9", f"1 to {protocol.MAX_AGING_MEMBERS:,} members together"),
        ("8.9", f"at most {protocol.MAX_VERSIONS:,}"),
        ("8.2", f"`ask.time - {checks.EARLY_SECONDS} ≤ time ≤ ask.time + {checks.LATE_SECONDS}`"),
        ("8.3", f"more than {mirror.AHEAD_SECONDS} s ahead of the vault's clock"),
        ("8.4", f"`ask.time - {checks.EARLY_SECONDS} ≤ now ≤ ask.time + {checks.LATE_SECONDS}`"),
        ("8.4", f"at most {protocol.IDENTICAL_SECONDS} s ago"),
        ("8.7", f"good once for {subjects.CODE_SECONDS} s"),
        ("8.7", f"more than {subjects.WRONG_CODES_A_MINUTE:,} wrong tries a minute"),
    ],
)
def test_its_seconds_and_counts_are_those_in_use(number: str, said: str) -> None:
    assert said in section(number)


def test_what_is_reserved_is_refused() -> None:
    (line,) = re.findall(r"(?m)^Reserved, .*", section("5.4"))
    names = re.findall(r"`([a-z]+)`", line)
    known = {record.__struct_config__.tag for record in typing.get_args(entry.Entry)}
    assert len(names) >= 4
    assert not known & set(names)


def test_it_speaks_of_no_code() -> None:
    assert not re.findall(r"strongroom\.[a-z]|\.py\b|see the code|marshal", SPEC)


def test_the_first_bytes_under_a_secret_are_those_in_use() -> None:
    text = section("3.3")
    found = dict(re.findall(r"(?m)^(record|mask|share|held) +=.*?HMAC\((?:b|record), (0\d)", text))
    used = {"record": slot.RECORD, "mask": slot.UNMASK, "share": slot.SHARE, "held": slot.HELD}
    assert {name: bytes.fromhex(value) for name, value in found.items()} == used
    assert len(set(used.values())) == 4


def test_every_way_to_be_turned_away_at_the_door_is_there_and_no_other() -> None:
    rows = re.findall(r"(?m)^\| (\d{3})(?:, `(\w+)`)? \| (.*) \|$", section("10.3"))
    said = {code: (int(status), error) for status, error, codes in rows for code in re.findall(r"`([a-z-]+)`", codes)}
    assert said == {code: (status, error) for code, (status, error, _) in caller.CODES.items()}
