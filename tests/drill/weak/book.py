"""Witnesses, auditors and subjects who do not look closely."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.drill.weak.base import Same, Weaken, instead, nothing

from strongroom.client import subject
from strongroom.client.watch import Watcher
from strongroom.keyholder import protocol
from strongroom.ledger import audit, confirm, days


def any_growth_for_watchers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watcher, "_grew", lambda self, before, now, progress: ({}, None, ()))
    patch.setattr(Watcher, "_confirmed", lambda self, cosigned, now, note: None)


def any_growth_for_subjects(patch: pytest.MonkeyPatch) -> None:
    """A subject who holds the book neither against the last one nor against what the vault has cosigned."""
    patch.setattr(audit, "verify_growth", nothing)
    patch.setattr(confirm, "confirm", lambda fetch, text, verifiers, published: confirm.claimed(text))


def any_confirmation(patch: pytest.MonkeyPatch) -> None:
    """A cosignature is wanted, of whatever book."""
    patch.setattr(confirm, "verify_growth", nothing)


def no_confirmation(patch: pytest.MonkeyPatch) -> None:
    """Where no file says what the vault has cosigned, none is wanted."""

    def weak(audited: audit.Audit) -> tuple[confirm.Confirmed, int]:
        last = audited.times[1] if audited.times else 0
        return audited.confirmed or confirm.Confirmed(audited.checkpoint, last), last

    patch.setattr(subject, "_confirmed", weak)


def any_cosigner(patch: pytest.MonkeyPatch) -> None:
    """Anybody's signature passes for the vault's."""
    patch.setattr(confirm, "vaults", lambda verifiers, origin: list(verifiers))


def any_age(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subject, "SECONDS", 10**9)


def any_tiles(patch: pytest.MonkeyPatch) -> None:
    """An auditor that takes entries as they are, without building the tree out of them."""
    tiles = audit._Tiles

    class Believing(tiles):  # type: ignore[misc, valid-type]
        def add(self, leaves: list[bytes]) -> None:
            return

        def root(self) -> Any:
            return Same()

    patch.setattr(audit, "_Tiles", Believing)


def any_day(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(days.Days, "close", lambda self: setattr(self, "_lines", []))


def blind_to(what: str) -> Weaken:
    """A subject who does not look for gaps, for tags past the count, or for repeated ones."""
    honest = subject.ChainView

    def weak(**given: Any) -> subject.ChainView:
        return honest(**given | {what: ()})

    return lambda patch: patch.setattr(subject, "ChainView", weak)


def short_sight(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subject, "BEYOND", 0)


def any_statement(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subject, "_verify_statement", nothing)


def statement_for(member: str, value: Callable[[Any], Any]) -> Weaken:
    """One member of the keyholder's statement is not compared."""
    honest = protocol.statement

    def parse(data: bytes) -> protocol.Statement:
        found = honest.parse(data)
        return msgspec.structs.replace(found, **{member: value(getattr(found, member))})

    return lambda patch: patch.setattr(
        "strongroom.client.subject.protocol", instead(protocol, statement=SimpleNamespace(parse=parse))
    )
