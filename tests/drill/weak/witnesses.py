"""Witnesses, and readers who want their quorum, weakened in one point each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from strongroom.errors import QuorumError
from strongroom.ledger import audit, witnessed
from strongroom.ledger.note import Verifier
from strongroom.ledger.policy import Policy
from strongroom.witness.core import Witness
from strongroom.witness.store import Store


def all_of_them(patch: pytest.MonkeyPatch) -> None:
    """No witness may be missing: one that is dead stops everything."""

    def satisfied(policy: Policy, cosigners: Collection[Verifier]) -> None:
        if not set(policy.verifiers) <= set(cosigners):
            raise QuorumError("one is missing")

    patch.setattr(witnessed, "satisfied", satisfied)


def any_cosignature(patch: pytest.MonkeyPatch) -> None:
    """A witness's line counts, whatever it signs."""
    honest = Verifier.verify

    def verify(self: Verifier, text: str, signature: bytes) -> None:
        if not self.name.endswith(".example") or self.name.startswith("drill"):
            honest(self, text, signature)

    patch.setattr(Verifier, "verify", verify)


def any_date(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(witnessed, "AHEAD_SECONDS", 10**9)


def any_age(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(audit.Audit, "fresh", 10**9)


def any_quorum(patch: pytest.MonkeyPatch) -> None:
    """Who has cosigned is read, and nobody is counted."""

    def latest(policy: Policy, times: Mapping[Verifier, int]) -> int:
        return max(times.values(), default=2**53)

    patch.setattr(witnessed, "satisfied", lambda *_: None)
    patch.setattr(witnessed, "quorum_time", latest)


def any_growth(patch: pytest.MonkeyPatch) -> None:
    """A witness that cosigns what it is shown, whatever it has cosigned before."""
    patch.setattr(Witness, "_verify", lambda *_: None)


def any_ledger(patch: pytest.MonkeyPatch) -> None:
    """A reader who takes a quorum's word for whatever ledger it lies beside."""
    patch.setattr(witnessed, "verify_growth", lambda *_: None)


def keep_nothing(patch: pytest.MonkeyPatch) -> None:
    def keep(self: Store, *_: Any) -> None:
        return

    patch.setattr(Store, "keep", keep)
