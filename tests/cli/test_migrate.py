"""A charter with new fields, and the records brought in line with it, as a custodian does it."""

from __future__ import annotations

import json
from pathlib import Path

from tests import world
from tests.cli.session import Session
from tests.custody.test_migrate import MORE

ASK = (
    "--as",
    "rui",
    "--purpose",
    "amend",
    "--case",
    "M-1",
    "--reason",
    "telephones in a field of their own from now on",
)
MIGRATE = ("catalog", "migrate", "--map", "map.yaml", "--holding", "residents", "--intake-purpose", "register", *ASK)


def _grow(full: Session) -> None:
    text = world.CHARTER
    for before, after in MORE:
        text = text.replace(before, after)
    Path("charter.yaml").write_text(text)
    ran = full.run("charter", "apply", "charter.yaml")
    assert ran.code == 0, ran.err


def test_from_charter_to_records(full: Session) -> None:
    _grow(full)
    Path("map.yaml").write_text("home: phone\nclear: [email]\n")
    ran = full.run(*MIGRATE, "--dry-run")
    assert (ran.code, ran.out) == (0, "✓ 30 records of residents to go through\n"), ran.err
    ran = full.run(*MIGRATE)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("✓ residents: all records are migrated\nmigrated  30 records, given another version\n")
    ran = full.run(*MIGRATE, "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["already"], found["migrated"], found["entries"]) == (0, True, 30, [])
    ran = full.run("status", "--json")
    assert json.loads(ran.out)["holdings"]["residents"]["versions"] == 60
    assert full.run("fsck").code == 0


def test_what_does_not_fit_is_listed_and_the_code_says_so(full: Session) -> None:
    _grow(full)
    Path("map.yaml").write_text("year: name\n")
    ran = full.run(*MIGRATE)
    assert ran.code == 1
    assert "30 records left as they were: map.yaml.bad.csv" in ran.out
    assert len(Path("map.yaml.bad.csv").read_text().splitlines()) == 30


def test_spent_budgets_end_it_with_a_code_of_their_own(full: Session) -> None:
    _grow(full)
    for name in "abc":
        Path("map.yaml").write_text(f"given: {{constant: {name}}}\nclear: [email]\n")
        assert full.run(*MIGRATE).code == 0
    Path("map.yaml").write_text("home: phone\n")
    ran = full.run(*MIGRATE)
    assert ran.code == 3
    assert "the budgets are spent: the same command goes on from" in ran.out
    assert "30 records, still to go through" in ran.out


def test_a_wrong_map_opens_nothing(full: Session) -> None:
    Path("map.yaml").write_text("home: phone\n")
    ran = full.run(*MIGRATE)
    assert (ran.code, ran.err) == (
        1,
        "strongroom: map.yaml:1: the holding has no field home. Did you mean phone?\n",
    ) or "no field home" in ran.err
    ran = full.run(*MIGRATE, "--bad", "map.yaml")
    assert "would take the place of the map" in ran.err
