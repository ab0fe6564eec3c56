"""Every exception is one of ours, with a code."""

from __future__ import annotations

import inspect
import re

import pytest

from strongroom import errors

ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


def test_there_are_some() -> None:
    assert len(ALL) > 10


@pytest.mark.parametrize("kind", ALL)
def test_has_one_root_a_code_and_a_word(kind: type[errors.StrongroomError]) -> None:
    assert issubclass(kind, errors.StrongroomError)
    assert re.fullmatch(r"[a-z]+", kind.code)
    assert kind.__doc__


def test_a_catalog_error_names_place_problem_and_mend() -> None:
    error = errors.CatalogError("rooms.yaml:7", "no such type `fone`", "Use one of: phone, text")
    assert str(error) == "rooms.yaml:7: no such type `fone`. Use one of: phone, text"


def test_a_refusal_carries_its_own_code() -> None:
    error = errors.Refused("budget", "the room's budget is used up")
    assert (error.code, str(error)) == ("budget", "budget: the room's budget is used up")
