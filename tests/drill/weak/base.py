"""Weakenings: each takes one check or mechanism away, as a defect would. They live in the tests alone."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest

Weaken: TypeAlias = Callable[[pytest.MonkeyPatch], None]
Row: TypeAlias = tuple[str, Weaken, tuple[str, ...]]
"""(what is weakened, how, beginnings of the attacks that must then fail)."""


class Same:
    """Equal to anything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class SameNumber(int):
    """A number that passes for any other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


def nothing(*_: Any, **__: Any) -> None:
    return


def instead(module: Any, **changed: Any) -> Any:
    """``module`` with other things under some of its names, for one that looks them up in it."""
    return SimpleNamespace(**vars(module) | changed)


def both(*weakenings: Weaken) -> Weaken:
    """Where two locks hold one door, a defect in one of them opens nothing."""

    def patch_all(patch: pytest.MonkeyPatch) -> None:
        for weaken in weakenings:
            weaken(patch)

    return patch_all
