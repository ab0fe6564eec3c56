"""What is said of each error, and what never is."""

from __future__ import annotations

import logging

import pytest

from strongroom import errors
from strongroom.api.problem import Row
from strongroom.errors import StrongroomError
from strongroom.service import problems
from strongroom.service.problems import CODES, Rejected, Told

SECRET = "Zhang San 13800138000"
PLACE = "/srv/room/vault/vault.db"


def test_a_defect_is_said_to_be_one_and_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        said = problems.problem(error)
    assert (said.status, said.code) == (500, "defect")
    assert SECRET not in f"{said}{caplog.text}"
    # Where it was, is for the log.
    assert "ValueError at test_problems.py:" in caplog.text


def test_the_houses_own_troubles_are_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for error in (errors.StoreError(f"{PLACE}: full"), errors.KeyholderUnavailable("no keyholder at 10.1.2.3:7000")):
        said = problems.problem(error)
        assert said.status == 503
        assert "10.1.2.3" not in said.detail
        assert PLACE not in said.detail
    assert PLACE in caplog.text


def test_every_error_has_a_code_that_is_known() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, StrongroomError)]
    assert len(kinds) > 12
    for kind in kinds:
        if kind is StrongroomError or kind.__init__ is not StrongroomError.__init__:
            continue  # its own say is looked at elsewhere
        said = problems.problem(kind("a text"))
        assert said.code in CODES
        assert said.type == f"urn:strongroom:problem:{said.code}"
        assert said.status == CODES[said.code].status


@pytest.mark.parametrize("code", ["malformed", "nothing-known", "defect\n"])
def test_a_refusal_of_the_keyholder_is_never_taken_for_one_of_http(code: str) -> None:
    """What a keyholder writes into its refusal cannot make the vault say something else of itself."""
    assert problems.problem(errors.Refused(code, "a text")).code == "ask"


def test_a_refusal_says_where_the_ledger_has_it() -> None:
    said = problems.problem(Told(errors.Refused("budget", "5/day is spent"), 7))
    assert (said.status, said.code, said.detail, said.entry) == (429, "budget", "5/day is spent", 7)


def test_when_it_may_be_tried_again() -> None:
    spent = errors.Refused("budget", "5/day is spent", after=54)
    assert [problems.after(one, "budget") for one in (spent, Told(spent, 7))] == [54, 54]
    # More than a budget ever allows, or than the ask has left of its own count: no waiting helps.
    assert problems.after(errors.Refused("budget", "9 is more than 5/day ever allows at once"), "budget") is None
    # What a keyholder writes beside another code is nobody's affair.
    assert problems.after(errors.Refused("frozen", "a text", after=54), "frozen") is None
    assert problems.after(errors.KeyholderUnavailable("a text"), "keyholder") == problems.CODES["keyholder"].after
    assert problems.after(ValueError(), "defect") is None


def test_records_that_do_not_fit_are_named_by_number() -> None:
    rows = [Row(row=2, field="born", reason="is no date")]
    assert problems.problem(Rejected("rows", "1 of 3", rows)).rows == rows
