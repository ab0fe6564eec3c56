"""Hostile answers to both ceremonies (service/identity/passkey.py): changed within their own encodings, not only as text."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.identity.authenticator import Authenticator
from tests.identity.forge import NOW, ORIGIN, base64url

from strongroom.service.identity import credentials
from strongroom.service.identity.caller import IdentityRefused
from strongroom.service.identity.passkey import Ceremonies

READER = b"\1" * 16


class Notes:
    """The store's notes, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, name: str) -> bytes:
        return self.kept.get(name, b"")

    def put(self, name: str, value: bytes) -> None:
        self.kept[name] = value

    def swap(self, name: str, before: bytes, after: bytes, drop: Sequence[str] = ()) -> bool:
        assert self.get(name) == before
        self.kept[name] = after
        for one in drop:
            self.kept.pop(one, None)
        return True


def sevens(count: int) -> bytes:
    return b"\7" * count


def desk() -> tuple[Ceremonies, Notes, str]:
    notes = Notes()
    return Ceremonies(ORIGIN, 0, sevens), notes, credentials.draw_code(notes, READER, NOW, sevens)


_desk, _notes, _code = desk()
KEY = Authenticator(ORIGIN)
MADE = KEY.create(json.loads(_desk.offer(_notes, READER, _code, NOW)))
ANSWER = KEY.get(json.loads(_desk.ask(NOW)))

_change = st.tuples(st.integers(0, 400), st.binary(min_size=0, max_size=6), st.integers(0, 6))


def changed(answer: dict[str, Any], member: str, changes: Sequence[tuple[int, bytes, int]]) -> dict[str, Any]:
    """``answer`` with bytes of ``member`` put in the place of others."""
    data = bytearray(urlsafe_b64decode(answer["response"][member] + "=="))
    for at, put, over in changes:
        place = at % (len(data) + 1)
        data[place : place + over] = put
    return {**answer, "response": {**answer["response"], member: base64url(bytes(data))}}


def test_both_hold_as_they_are() -> None:
    ceremonies, notes, code = desk()
    assert ceremonies.enrol(notes, READER, code, MADE, NOW) == KEY.id
    assert ceremonies.login(notes, ANSWER, NOW) == READER


@given(st.sampled_from(["attestationObject", "clientDataJSON"]), st.lists(_change, min_size=1, max_size=3))
def test_an_enrolment_changed_inside_is_refused_or_one(member: str, changes: list[tuple[int, bytes, int]]) -> None:
    ceremonies, notes, code = desk()
    try:
        ceremonies.enrol(notes, READER, code, changed(MADE, member, changes), NOW)
    except IdentityRefused:
        assert credentials.of(notes, READER) == []
    else:
        assert len(credentials.of(notes, READER)) == 1


@given(
    st.sampled_from(["authenticatorData", "clientDataJSON", "signature", "userHandle"]),
    st.lists(_change, min_size=1, max_size=3),
)
def test_a_login_changed_inside_is_refused(member: str, changes: list[tuple[int, bytes, int]]) -> None:
    ceremonies, notes, code = desk()
    ceremonies.enrol(notes, READER, code, MADE, NOW)
    other = changed(ANSWER, member, changes)
    try:
        ceremonies.login(notes, other, NOW)
    except IdentityRefused:
        return
    assert other == ANSWER


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just(ANSWER["id"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(list(ANSWER) + list(ANSWER["response"])), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(_json, st.sampled_from([*ANSWER, "response.userHandle", "response.authenticatorData"]))
def test_whatever_stands_in_the_place_of_a_member_is_refused(value: Any, place: str) -> None:
    ceremonies, notes, code = desk()
    ceremonies.enrol(notes, READER, code, MADE, NOW)
    member, _, inner = place.partition(".")
    other = {**ANSWER, member: {**ANSWER["response"], inner: value} if inner else value}
    try:
        ceremonies.login(notes, other, NOW)
    except IdentityRefused:
        return
    # What the signature does not cover may say anything that leaves it the same answer.
    assert member in ("type", "clientExtensionResults", "id", "rawId")
